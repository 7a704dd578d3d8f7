//! What the parts of a search share, and what the held-out photos said.

use std::path::Path;
use std::time::Duration;

use vlpt_adapter::Calibration;

use crate::budget::Budget;
use crate::candidates::Candidate;
use crate::folds::Folds;
use crate::learning::LearningCurve;
use crate::options::{TuneObserver, TuneOptions};
use crate::photos::Photos;
use crate::record::Expected;
use crate::search::Tried;

/// One search: its photos, candidates, folds and time.
pub(crate) struct Work<'a> {
    pub(crate) photos: &'a Photos<'a>,
    pub(crate) all: &'a [Candidate],
    pub(crate) folds: &'a Folds,
    /// Held-out photos; none where nothing can be held out.
    pub(crate) held: &'a [usize],
    pub(crate) weights: &'a [f64],
    pub(crate) budget: Budget<'a>,
    pub(crate) scratch: &'a Path,
    pub(crate) options: &'a TuneOptions,
    /// When the features of the photos were there.
    pub(crate) looked: Duration,
    pub(crate) observer: &'a dyn TuneObserver,
}

/// What the held-out photos said.
pub(crate) struct Verdict {
    pub(crate) tried: Vec<Tried>,
    pub(crate) chosen: Candidate,
    pub(crate) why: String,
    pub(crate) names_are_as_good: Option<bool>,
    pub(crate) names_alone: Option<f64>,
    pub(crate) estimate: Option<Expected>,
    pub(crate) calibration: Option<Calibration>,
    /// Calibrated probabilities of the held-out photos, photos x classes.
    pub(crate) probabilities: Vec<f32>,
    pub(crate) curve: Option<LearningCurve>,
}

impl Work<'_> {
    /// Photo, true class and most probable class of the held-out photos.
    pub(crate) fn answers(&self, verdict: &Verdict) -> Vec<(usize, usize, usize)> {
        let rows = verdict.probabilities.chunks_exact(self.photos.classes());
        let answer = |(row, &photo): (&[f32], &usize)| {
            let seen = vlpt_methods::head::first_largest(row);
            (photo, self.photos.labels[photo], seen)
        };
        rows.zip(self.held).map(answer).collect()
    }
}
