//! What images of each class weigh in the loss.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::check::need;
use super::{LossName, RunConfig};
use crate::Result;

/// Weights of classes: a rule, or a number for each of some classes by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected \"none\", \"balanced\", or weights by class name such as { cat = 2.0 }"
)]
pub enum ClassWeights {
    /// By a rule.
    Rule(WeightRule),
    /// By name; a class that is not listed weighs 1.
    Named(BTreeMap<String, f64>),
}

/// A rule for the weights of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightRule {
    /// All weigh the same.
    None,
    /// In inverse proportion to their number of training images, as scikit-learn's `balanced`: the
    /// images of a task, divided by its classes and by the images of the class.
    Balanced,
}

impl Default for ClassWeights {
    fn default() -> Self {
        Self::Rule(WeightRule::None)
    }
}

impl ClassWeights {
    /// Whether all classes weigh the same.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl RunConfig {
    /// Weights that are no weights, or a loss that has none.
    pub(super) fn check_class_weights(&self) -> Result<()> {
        let weights = &self.train.class_weights;
        if let ClassWeights::Named(named) = weights {
            for (name, &weight) in named {
                need(
                    weight.is_finite() && weight > 0.0,
                    "train.class_weights",
                    format!("{{ \"{name}\" = {weight} }}"),
                    "numbers above 0",
                )?;
            }
        }
        need(
            weights.is_none() || self.train.loss == LossName::CrossEntropy,
            "train.loss",
            "\"binary\"",
            "\"cross_entropy\" where train.class_weights is set",
        )
    }
}
