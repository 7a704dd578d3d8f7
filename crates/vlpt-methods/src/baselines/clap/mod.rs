//! CLAP: class vectors that begin at the texts and are held near them (Silva-Rodríguez et al., "A
//! closer look at the few-shot adaptation of large vision-language models", CVPR 2024).
//!
//! A feature `f` has the logits `scale * cos(f, w_c)`. The vectors `w_c` begin at the means `t_c` of
//! their class's text features and go down
//!
//! ```text
//! mean cross entropy  +  1/C  sum over c of  lambda_c |w_c - t_c|^2
//! ```
//!
//! where `lambda_c` is the mean probability that the texts alone give to class `c` for its own training
//! images: the better the text knows its class, the more firmly it is held. Nothing is left to choose,
//! so no image has to be kept for validation: it is the baseline to begin with where there are few.

mod fit;
mod prototypes;

use serde::{Deserialize, Serialize};

use super::TemplateChoice;
use crate::head::dot;
use crate::{Fit, MethodConfig, MethodError, MethodSpec, Needs, Report, Result};

options! {
    /// Options of CLAP.
    pub struct ClapConfig = "clap" {
        /// What holds the class vectors: `"l2"`, the penalty; or `"none"`, which leaves a linear
        /// probe that begins at the texts.
        constraint: Constraint = Constraint::L2, "l2 or none";
        /// Epochs. Each takes as many rows as there are training images, of all their views.
        epochs: usize = 300, "at least 1";
        /// Learning rate; half a cosine brings it down.
        lr: f64 = 0.1, "above 0";
        /// Learning rate of the first epoch.
        warmup_lr: f64 = 1e-5, "above 0";
        /// Momentum of SGD.
        momentum: f64 = 0.9, "0 or more and below 1";
        /// Rows in a step.
        batch_size: usize = 256, "at least 1";
        /// Mean length that the class vectors begin with. Left out: that of their texts, as published,
        /// where it is 20 at most (OpenAI's models have 7 to 10), else 10, since the published rate and
        /// penalty act on vectors of such lengths.
        #[serde(skip_serializing_if = "Option::is_none")]
        length: Option<f64> = None, "above 0";
        /// Templates of the texts that the class vectors begin at.
        templates: TemplateChoice = TemplateChoice::Ensemble, "one or ensemble";
    }
}

/// Text features that are longer on average than this are no longer like CLIP's.
const LONGEST: f64 = 20.0;
/// What they are made as long as then.
const LENGTH: f64 = 10.0;

/// What holds the class vectors near their texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Constraint {
    /// The squared distance, weighed class by class.
    #[default]
    L2,
    /// Nothing.
    None,
}

/// What CLAP says of itself.
pub static SPEC: MethodSpec = MethodSpec {
    name: "clap",
    summary: "baseline: class vectors held near texts; no validation needed",
    source: "Silva-Rodríguez et al., \"A closer look at the few-shot adaptation of large vision-language models\", CVPR 2024",
    good_for: "about 19 points over zero-shot on seven real sets, with nothing to choose \
               (mini-clip, 16 shots)",
    tables: &[&ClapConfig::TABLE],
    report: Report {
        done: "Class vectors that began at class names in templates were tuned on their features",
        holds: "class vectors that began at class names in templates, tuned and held near them",
    },
    needs: |_| Needs {
        class_specific: true,
        ..Needs::default()
    },
    check: |method| method.options::<ClapConfig>().check(),
    fit: Fit::Head(fit::fit),
    weighs_classes: true,
    learns: Some(|_, size| size.classes * size.embed),
    ..MethodSpec::BASE
};

impl From<ClapConfig> for MethodConfig {
    fn from(options: ClapConfig) -> Self {
        Self::of(&SPEC, options)
    }
}

impl ClapConfig {
    /// Checks the values.
    ///
    /// # Errors
    /// The first that makes no sense.
    pub fn check(&self) -> Result<()> {
        let wrong = |key, found: String, expected: &str| {
            let expected = expected.to_owned();
            Err(MethodError::Option {
                key,
                found,
                expected,
            })
        };
        for (key, value) in [
            ("clap.epochs", self.epochs),
            ("clap.batch_size", self.batch_size),
        ] {
            if value == 0 {
                return wrong(key, "0".to_owned(), "at least 1");
            }
        }
        for (key, value) in [("clap.lr", self.lr), ("clap.warmup_lr", self.warmup_lr)] {
            if !(value.is_finite() && value > 0.0) {
                return wrong(key, value.to_string(), "a number above 0");
            }
        }
        if let Some(length) = self.length
            && !(length.is_finite() && length > 0.0)
        {
            return wrong("clap.length", length.to_string(), "a number above 0");
        }
        if !(0.0..1.0).contains(&self.momentum) {
            let found = self.momentum.to_string();
            return wrong("clap.momentum", found, "0 or more and below 1");
        }
        Ok(())
    }

    /// What texts (classes x width) are multiplied with before they are class vectors, see
    /// [`ClapConfig::length`].
    fn factor(&self, texts: &[f32], width: usize) -> f32 {
        let lengths = texts.chunks_exact(width).map(|row| dot(row, row).sqrt());
        let mean = lengths.map(f64::from).sum::<f64>() / (texts.len() / width) as f64;
        match self.length {
            Some(length) if mean > 0.0 => (length / mean) as f32,
            None if mean > LONGEST => (LENGTH / mean) as f32,
            _ => 1.0,
        }
    }

    /// The rate of an epoch, counted from 0: the first is a warm-up, and the cosine is that of all epochs
    /// from there.
    fn rate(&self, epoch: usize) -> f64 {
        if epoch == 0 {
            return self.warmup_lr;
        }
        let turn = std::f64::consts::PI * (epoch - 1) as f64 / self.epochs as f64;
        0.5 * self.lr * (1.0 + turn.cos())
    }
}

#[cfg(test)]
mod tests;
