//! What is tuned, and for how long.

use serde::{Deserialize, Serialize};

use crate::zeroshot::{DEFAULT_TEMPLATE, fill};
use crate::{MethodError, Result};

options! {
    /// Options of [`TwoStage`](super::TwoStage).
    pub struct TwoStageConfig = "two_stage" {
        /// The layer norms whose gains and biases the first stage tunes: the two of every block
        /// (`blocks`, what the published code comes to), or these, the one before the first image
        /// block and those after the last blocks (`all`).
        norms: Norms = Norms::Blocks, "blocks or all";
        /// Share of the run's length that the first stage has; the second has the rest.
        first_stage: f64 = 0.6, "above 0 and below 1";
        /// The classes' texts; `{}` stands for the name.
        template: String = DEFAULT_TEMPLATE.to_owned(), "a text with {}";
    }
}

/// Layer norms of both towers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Norms {
    /// The two of every block.
    #[default]
    Blocks,
    /// Every one.
    All,
}

impl TwoStageConfig {
    /// Checks what can be said without a model.
    ///
    /// # Errors
    /// The first option whose value makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let share = self.first_stage;
        if !(share > 0.0 && share < 1.0) {
            return Err(MethodError::Option {
                key: "two_stage.first_stage",
                found: share.to_string(),
                expected: "above 0 and below 1".to_owned(),
            });
        }
        fill(&self.template, "name").map(|_| ())
    }
}
