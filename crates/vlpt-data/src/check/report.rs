//! What a check found, as a plain struct.

use serde::Serialize;

use super::compare::Comparison;
use super::duplicates::{Duplicate, Overlap};
use super::finding::{Finding, Level};
use super::scan::{Broken, Sizes};
use crate::metric::Metric;
use crate::provenance::MadeSplit;

/// One split of the report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SplitReport {
    /// `train`, `val` or `test`.
    pub name: &'static str,
    /// Number of images.
    pub images: usize,
    /// Number of images of each class, in the order of the labels.
    pub class_counts: Vec<usize>,
    /// Images without a label.
    pub negatives: usize,
    /// Sizes and formats of the images that could be decoded.
    pub sizes: Option<Sizes>,
}

/// What [`check`] found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Name of the task.
    pub task: String,
    /// Folder or file that was read.
    pub root: String,
    /// Layout that was read.
    pub format: String,
    /// The class names.
    pub classes: Vec<String>,
    /// The task's metric.
    pub metric: Metric,
    /// Whether images may show several classes.
    pub multi_label: bool,
    /// What the reader had to decide.
    pub notes: Vec<String>,
    /// The split that was made, where the set brings none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub made_split: Option<MadeSplit>,
    /// The splits.
    pub splits: Vec<SplitReport>,
    /// Images that cannot be read or decoded, in the order of the task.
    pub broken: Vec<Broken>,
    /// Groups of equal images, in the order of the first of each.
    pub duplicates: Vec<Duplicate>,
    /// Images that two splits share.
    pub overlaps: Vec<Overlap>,
    /// The difference from the catalogue, where the set has an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<Comparison>,
    /// All that is to be said, errors first.
    pub findings: Vec<Finding>,
}

impl CheckReport {
    /// Number of findings of a level.
    pub fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }

    /// Whether anything makes the set unusable as it is.
    pub fn has_errors(&self) -> bool {
        self.count(Level::Error) > 0
    }
}
