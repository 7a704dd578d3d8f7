//! LP++: a linear probe that also weighs the classes' texts (Huang et al., "LP++: A surprisingly
//! strong linear probe for few-shot CLIP", CVPR 2024).
//!
//! A feature `f` of length one has the logits
//!
//! ```text
//! f . w_c + b_c + alpha_c (f . t_c)
//! ```
//!
//! where `t_c` are zero-shot text features; there is no temperature. Weights and biases go down the
//! mean cross entropy of all images in each epoch, alphas every tenth epoch, with step sizes that
//! follow from the features ([`descent::Rates`]): no rate is searched.

mod descent;
mod fit;

use serde::{Deserialize, Serialize};

use super::TemplateChoice;
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result};

options! {
    /// Options of LP++.
    pub struct LpPlusPlusConfig = "lp_plus_plus" {
        /// Passes over all training images, each of one step.
        epochs: usize = 300, "at least 1";
        /// Momentum of the steps of weights and biases.
        momentum: f64 = 0.9, "0 or more and below 1";
        /// Epochs from one step of the texts' weights to the next.
        alpha_every: usize = 10, "at least 1";
        /// The gradient that they go down: `"epoch"`, that of the epoch alone, as the paper describes
        /// it; or `"accumulated"`, the sum of all epochs' so far, as published code computes it, which
        /// never clears the gradient.
        alpha_gradient: AlphaGradient = AlphaGradient::Epoch, "epoch or accumulated";
        /// Templates of the texts.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
    }
}

/// Which gradient the weights of the texts go down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AlphaGradient {
    /// That of the epoch alone.
    #[default]
    Epoch,
    /// The sum of all epochs' so far.
    Accumulated,
}

/// What LP++ says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "lp++",
    summary: "baseline: a linear probe beside weighted texts",
    source: "Huang et al., \"LP++: A surprisingly strong linear probe for few-shot CLIP\", CVPR 2024",
    good_for: "about 27 points over zero-shot on seven real sets, in a second \
               (mini-clip, 16 shots)",
    tables: &[&LpPlusPlusConfig::TABLE],
    report: Report {
        done: "A linear classifier and the weights of class names in templates were fitted to their features",
        holds: "a linear classifier of image features, added to weighted class names in templates",
    },
    needs: |_| Needs {
        class_specific: true,
        validation: true,
        ..Needs::default()
    },
    check: |method| method.options::<LpPlusPlusConfig>().check(),
    fit: Fit::Head(fit::fit),
    weighs_classes: true,
    learns: Some(|_, size| size.classes * (size.embed + 2)),
    ..MethodSpec::BASE
};

impl From<LpPlusPlusConfig> for MethodConfig {
    fn from(options: LpPlusPlusConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl LpPlusPlusConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        for (key, value) in [
            ("lp_plus_plus.epochs", self.epochs),
            ("lp_plus_plus.alpha_every", self.alpha_every),
        ] {
            if value == 0 {
                return Err(MethodError::Option {
                    key,
                    found: "0".to_owned(),
                    expected: "at least 1".to_owned(),
                });
            }
        }
        if !(0.0..1.0).contains(&self.momentum) {
            return Err(MethodError::Option {
                key: "lp_plus_plus.momentum",
                found: self.momentum.to_string(),
                expected: "0 or more and below 1".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
