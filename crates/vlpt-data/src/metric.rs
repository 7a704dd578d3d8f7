//! The numbers that tasks are judged by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The number a task is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Metric {
    /// Share of images whose most probable class is right.
    #[serde(rename = "accuracy")]
    Accuracy,
    /// Mean over the classes of the accuracy within a class.
    #[serde(rename = "mean_per_class")]
    MeanPerClass,
    /// Mean over the classes of the average precision at the eleven recalls 0, 0.1, ..., 1 (PASCAL
    /// VOC 2007).
    #[serde(rename = "11point_mAP")]
    ElevenPointMap,
    /// Area under the receiver operating characteristic of the last of two classes.
    #[serde(rename = "roc_auc")]
    RocAuc,
}

impl Metric {
    /// The name in configs and result files: `accuracy`, `mean_per_class`, `11point_mAP`, `roc_auc`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MeanPerClass => "mean_per_class",
            Self::ElevenPointMap => "11point_mAP",
            Self::RocAuc => "roc_auc",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
