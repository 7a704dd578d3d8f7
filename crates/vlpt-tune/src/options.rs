//! What is wanted of a search, who watches it, and what comes of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use vlpt_adapter::ImageConfig;
use vlpt_data::Shots;
use vlpt_train::{DataConfig, TrainObserver};

use crate::record::{Before, Record};
use crate::search::Tried;
use crate::{Result, TuneError};

/// What is wanted.
#[derive(Debug, Clone)]
pub struct TuneOptions {
    /// Name of the model, to be written down.
    pub model: String,
    /// The photos and how they were read, to be written down.
    pub data: DataConfig,
    /// Photos of each class to use; all, or so many drawn as [`vlpt_data::FewShotRule::Coop`] says.
    pub shots: Shots,
    /// Seed of folds, draws and fits.
    pub seed: u64,
    /// Minutes that it may take.
    pub minutes: f64,
    /// Methods to try; empty: all that fit the time.
    pub methods: Vec<String>,
    /// Share of photos of the classes that the threshold may reject, above 0 and below 1.
    pub reject_rate: f64,
    /// Changes to the model's preprocessing.
    pub image: ImageConfig,
    /// Where features are kept.
    pub cache: Option<PathBuf>,
    /// The folder to write.
    pub out: PathBuf,
    /// The result that photos are added to.
    pub before: Option<Before>,
}

/// Watches what [`tune`] does.
pub trait TuneObserver: TrainObserver {
    /// Features are there, the search begins: from here on it ends soon when it is asked to.
    fn searching(&self) {}

    /// A candidate was judged or left out.
    fn tried(&self, tried: &Tried) {
        let _ = tried;
    }
}

impl TuneObserver for () {}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Tuned {
    /// The folder.
    pub dir: PathBuf,
    /// What it says of itself.
    pub record: Record,
    /// What the reader should know first.
    pub notes: Vec<String>,
}

impl TuneOptions {
    /// Refuses what makes no sense, before any work.
    ///
    /// # Errors
    /// Minutes or a rate that make no sense, or a folder to write that holds something.
    pub fn check(&self) -> Result<()> {
        let time = Duration::try_from_secs_f64(60.0 * self.minutes);
        if !(self.minutes > 0.0 && time.is_ok()) {
            return Err(TuneError::Option {
                option: "--minutes",
                found: self.minutes.to_string(),
                expected: "a number above 0, of minutes that a clock can count",
            });
        }
        if !(self.reject_rate > 0.0 && self.reject_rate < 1.0) {
            return Err(TuneError::Option {
                option: "--reject-rate",
                found: self.reject_rate.to_string(),
                expected: "a share above 0 and below 1, such as 0.05",
            });
        }
        let empty = |dir: &Path| dir.read_dir().is_ok_and(|mut dir| dir.next().is_none());
        if self.out.exists() && !empty(&self.out) {
            return Err(TuneError::Taken {
                dir: self.out.clone(),
            });
        }
        Ok(())
    }
}
