//! GDA: Gaussian discriminant analysis beside zero-shot logits (Wang et al., "A hard-to-beat baseline
//! for training-free CLIP-based adaptation", ICLR 2024).
//!
//! The features of a class, divided by their lengths, are taken for normally distributed about a
//! mean of its own, with one covariance for all classes. The odds of two classes are then linear in
//! the feature, and everything is known in closed form ([`Discriminant`]). A feature `f` of length
//! one has the logits
//!
//! ```text
//! scale * f . t_c  +  alpha * (f . w_c + b_c)
//! ```
//!
//! where `t_c` are zero-shot text features. Alpha is the only number that is chosen.

mod discriminant;
mod fit;

use super::{Searched, TemplateChoice};
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result};

pub use discriminant::Discriminant;

options! {
    /// Options of GDA.
    pub struct GdaConfig = "gda" {
        /// Weight of the discriminant beside the zero-shot logits: a number, or `"search"` on `grid`,
        /// by validation images or else by folds of the training images; never by test images, which
        /// published figures for ImageNet were chosen on.
        alpha: Searched = Searched::SEARCH, "a number above 0, or search";
        /// The values that alpha is searched among; of equally good ones the first is taken.
        /// Published code has these seven.
        grid: Vec<f64> = vec![1e-4, 1e-3, 0.01, 0.1, 1.0, 10.0, 100.0], "rising numbers above 0";
        /// Alpha where nothing can choose one: with one image a class and no validation images.
        init_alpha: f64 = 0.1, "above 0";
        /// Templates of the zero-shot logits.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
    }
}

/// What GDA says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "gda",
    summary: "baseline: zero-shot with Gaussians of features, in closed form",
    source: "Wang et al., \"A hard-to-beat baseline for training-free CLIP-based adaptation\", ICLR 2024",
    good_for: "about 32 points over zero-shot on seven real sets, in a second: \
               with the linear probe the best of all (mini-clip, 16 shots)",
    tables: &[&GdaConfig::TABLE],
    report: Report {
        done: "Class names in templates and Gaussians of image features tell the classes apart",
        holds: "a linear classifier from Gaussians of image features, added to class names in templates",
    },
    needs: |_| Needs {
        class_specific: true,
        validation: true,
        ..Needs::default()
    },
    check: |method| method.options::<GdaConfig>().check(),
    fit: Fit::Head(fit::fit),
    learns: Some(|_, size| size.classes * (size.embed + 1)),
    ..MethodSpec::BASE
};

impl From<GdaConfig> for MethodConfig {
    fn from(options: GdaConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl GdaConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        super::searched::positive("gda.alpha", self.alpha)?;
        let above = |v: f64| v.is_finite() && v > 0.0;
        let rising = self.grid.windows(2).all(|pair| pair[0] < pair[1]);
        if self.grid.is_empty() || !rising || !self.grid.iter().all(|&v| above(v)) {
            return Err(MethodError::Option {
                key: "gda.grid",
                found: format!("{:?}", self.grid),
                expected: "rising numbers above 0, one at least".to_owned(),
            });
        }
        if !above(self.init_alpha) {
            return Err(MethodError::Option {
                key: "gda.init_alpha",
                found: self.init_alpha.to_string(),
                expected: "a number above 0".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
