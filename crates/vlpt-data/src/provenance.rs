//! Where a task came from.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::class_subset::ClassSubset;
use crate::format::Format;

/// Where a task came from, and what a reader had to decide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The folder or file that was opened.
    pub root: PathBuf,
    /// The layout it has.
    pub format: Format,
    /// Why it was taken for that layout.
    pub recognised_by: String,
    /// What a reader should know: renamed classes, a missing split, dropped folders.
    pub notes: Vec<String>,
    /// The split that was made, where the set brings none.
    pub made_split: Option<MadeSplit>,
    /// Which of the set's classes are used.
    #[serde(default, skip_serializing_if = "ClassSubset::is_all")]
    pub class_subset: ClassSubset,
    /// Of a half of the classes: the labels of the whole set, which few-shot draws go through.
    #[serde(default, skip)]
    pub whole: Option<WholeLabels>,
    /// Images that cannot be decoded and were left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// The labels of a set before its classes were halved, image by image in the order of the source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WholeLabels {
    /// Of the train split.
    pub train: Vec<u32>,
    /// Of the val split; empty where there is none.
    pub val: Vec<u32>,
    /// The labels that were kept.
    pub kept: std::ops::Range<u32>,
}

/// An image that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its split: `train`, `val` or `test`.
    pub split: String,
    /// Its id.
    pub id: String,
    /// Why, the id in it.
    pub reason: String,
}

/// A seeded split of a set that has none, as a run folder stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeSplit {
    /// Seed of the shuffles.
    pub seed: u64,
    /// Shares of train, val and test.
    pub ratios: [f64; 3],
    /// SHA-256 (hex) over the lines `split<TAB>label<TAB>id` of all images in order.
    pub sha256: String,
}
