//! `tune.json`: what was tried, what came of it, and of which photos.

use std::path::Path;

use fs_err as fs;
use serde::{Deserialize, Serialize};
use vlpt_adapter::Calibration;
use vlpt_data::{LeftOut, Shots};
use vlpt_train::DataConfig;

use crate::learning::LearningCurve;
use crate::search::Tried;
use crate::{Result, TuneError};

/// Name of the file in a result's folder.
pub const RECORD: &str = "tune.json";
/// Version of its layout.
pub const RECORD_FORMAT: u32 = 1;

/// Everything that is known of a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of the layout.
    pub format: u32,
    /// Version of the program.
    pub version: String,
    /// Name of the model.
    pub model: String,
    /// SHA-256 over its configuration and tensors.
    pub model_fingerprint: String,
    /// The photos and how they were read.
    pub data: DataConfig,
    /// Seed of folds, draws and fits.
    pub seed: u64,
    /// The time that was given.
    pub minutes: f64,
    /// Methods that it was narrowed to; empty: all.
    pub methods: Vec<String>,
    /// Photos of each class that were used.
    pub shots: Shots,
    /// Seconds that were spent.
    pub seconds: f64,
    /// Seconds until the features of the photos were there.
    pub seconds_looking: f64,
    /// Every candidate, in the order in which they were tried.
    pub tried: Vec<Tried>,
    /// The method that was chosen.
    pub chosen: String,
    /// Why, in a sentence.
    pub why: String,
    /// Whether class names alone are as good as anything that was tried; none where nothing could be
    /// held out to say.
    pub names_are_as_good: Option<bool>,
    /// Share of the photos that class names alone are right on.
    pub names_alone: Option<f64>,
    /// What is measured: `accuracy`, or `mean_per_class` where classes are imbalanced.
    pub metric: String,
    /// What the classifier is expected to do with new photos like these; none where nothing could be
    /// held out.
    pub estimate: Option<Expected>,
    /// Temperature and threshold, from held-out photos.
    pub calibration: Option<Calibration>,
    /// How accuracy grows with photos.
    pub curve: Option<LearningCurve>,
    /// The classes with their photos.
    pub classes: Vec<ClassCount>,
    /// Held-out photos by true class (row) and most probable class (column).
    pub confusion: Vec<Vec<u32>>,
    /// Photos that may be labelled wrong, the most suspicious first; none where fewer than 70 % of
    /// the held-out photos were right, since a classifier then doubts labels for its own mistakes.
    pub suspects: Vec<SuspectPhoto>,
    /// Groups of photos that are copies of each other.
    pub copies: Vec<CopyGroup>,
    /// Held-out photos that were decided with the smallest margins.
    pub boundary: Vec<NearPhoto>,
    /// Photos that cannot be decoded and were left out.
    pub left_out: Vec<LeftOut>,
    /// The photos.
    pub photos: Vec<PhotoEntry>,
    /// The result before photos were added, where some were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
}

/// An expectation with its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Expected {
    /// The share, from 0 to 1.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How often such intervals hold the truth.
    pub confidence: f64,
    /// Photos behind it, each judged by a classifier that had not seen it.
    pub photos: usize,
    /// The share of these photos that the chosen candidate was right on: too good, since it was chosen for
    /// it.
    pub uncorrected: f64,
}

/// A class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Its name.
    pub name: String,
    /// Its photos.
    pub photos: usize,
}

/// A photo whose label is in doubt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SuspectPhoto {
    /// The photo.
    pub photo: String,
    /// Its class.
    pub labelled: String,
    /// The class that it seems to show.
    pub seems: String,
    /// Probability of its own class, when it was held out.
    pub own: f64,
}

/// Photos that are copies of each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyGroup {
    /// Whether the files are equal byte for byte.
    pub equal: bool,
    /// The photos.
    pub photos: Vec<String>,
    /// Their classes.
    pub classes: Vec<String>,
}

/// A photo near the boundary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearPhoto {
    /// The photo.
    pub photo: String,
    /// Its class.
    pub labelled: String,
    /// The most probable class and the next one.
    pub between: [String; 2],
    /// By how much the first is more probable.
    pub margin: f64,
}

/// A photo that was learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoEntry {
    /// The photo.
    pub photo: String,
    /// Its class.
    pub class: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// The fold in which it was held out.
    pub fold: Option<usize>,
}

/// The result that photos were added to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// The method it had chosen.
    pub chosen: String,
    /// What it expected.
    pub estimate: Option<Expected>,
    /// Photos it had.
    pub photos: usize,
    /// Classes it had; 0 where that was not written down.
    #[serde(default)]
    pub classes: usize,
}

impl Record {
    /// Reads the record of a result.
    ///
    /// # Errors
    /// No such file, or one that cannot be read.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(RECORD);
        let text = fs::read_to_string(&path)?;
        let damaged = |what: String| TuneError::Damaged {
            path: path.clone(),
            what,
        };
        let record: Self =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        if record.format != RECORD_FORMAT {
            return Err(damaged(format!(
                "has format {}: expected {RECORD_FORMAT}",
                record.format
            )));
        }
        Ok(record)
    }

    /// The record as the text of its file.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("plain strings and numbers");
        text.push('\n');
        text
    }
}
