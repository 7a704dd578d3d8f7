//! What a study found, as plain numbers and texts.

use crate::svg::{Gap, Tree};

/// How a source helps a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// Train on the source, evaluate on the target.
    ZeroShot,
    /// Start from the source's prompt, tune on the target, evaluate there.
    Adapted,
    /// Tune on source and target together, evaluate on the target.
    CoTraining,
}

impl Transfer {
    /// The kinds in the order of the page.
    pub const ALL: [Self; 3] = [Self::ZeroShot, Self::Adapted, Self::CoTraining];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot transfer",
            Self::Adapted => "adapted transfer",
            Self::CoTraining => "co-training",
        }
    }

    /// What is done, in a sentence.
    pub(super) fn explained(self) -> &'static str {
        match self {
            Self::ZeroShot => {
                "A prompt is trained on the source and evaluated on the target as it is."
            }
            Self::Adapted => {
                "Training on the target starts from the prompt of the source; the result is \
                 evaluated on the target."
            }
            Self::CoTraining => {
                "One prompt is trained on source and target together and evaluated on the target."
            }
        }
    }
}

/// A number that a map can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Gain over the same method trained on the target alone.
    OverSingle,
    /// Gain over zero-shot CLIP.
    OverClip,
    /// The score itself.
    Score,
}

impl Measure {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::OverSingle => "gain over single-task",
            Self::OverClip => "gain over zero-shot CLIP",
            Self::Score => "score",
        }
    }

    /// The number of a cell.
    pub fn value_in(self, measured: &Measured) -> Option<f64> {
        match self {
            Self::OverSingle => measured.over_single,
            Self::OverClip => measured.over_clip,
            Self::Score => Some(measured.score),
        }
    }
}

/// What gains are; in both cases 0.05 is shown as 5.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GainUnit {
    /// `(score - baseline) / baseline`, shown in per cent.
    #[default]
    Relative,
    /// `score - baseline`, shown in points.
    Points,
}

/// A target with what transfer is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Name of the task.
    pub name: String,
    /// Score of the method trained on the target alone, from 0 to 1.
    pub single: Option<f64>,
    /// Score of zero-shot CLIP, from 0 to 1.
    pub clip: Option<f64>,
}

/// What one source did for one target, means over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// The score, from 0 to 1.
    pub score: f64,
    /// Its standard deviation over seeds, where there is more than one.
    pub std: Option<f64>,
    /// How many seeds.
    pub seeds: usize,
    /// Gain over the single-task score.
    pub over_single: Option<f64>,
    /// Gain over zero-shot CLIP.
    pub over_clip: Option<f64>,
}

/// A place of a map.
#[derive(Debug, Clone, PartialEq)]
pub enum TransferCell {
    /// It was measured.
    Measured(Measured),
    /// It was not.
    Missing {
        /// Why, as a mark.
        gap: Gap,
        /// Why, in words; may be empty.
        reason: String,
    },
}

/// One method and one way of transfer: every source by every target.
#[derive(Debug, Clone, PartialEq)]
pub struct TransferMap {
    /// How sources help.
    pub transfer: Transfer,
    /// The method.
    pub method: String,
    /// Shots and seeds, in a few words.
    pub setting: String,
    /// Names of the sources.
    pub sources: Vec<String>,
    /// The targets.
    pub targets: Vec<Target>,
    /// `sources x targets` cells, row after row; what lacks at the end was not run.
    pub cells: Vec<TransferCell>,
    /// Order and clustering of the sources.
    pub source_tree: Tree,
    /// Order and clustering of the targets.
    pub target_tree: Tree,
    /// What is drawn, a figure for each.
    pub measures: Vec<Measure>,
}

impl TransferMap {
    /// The numbers between a source and a target, if there are any.
    pub fn measured(&self, source: usize, target: usize) -> Option<&Measured> {
        if target >= self.targets.len() {
            return None;
        }
        match self.cells.get(source * self.targets.len() + target)? {
            TransferCell::Measured(measured) => Some(measured),
            TransferCell::Missing { .. } => None,
        }
    }

    /// The other tasks with the highest scores on a target, at most `most`, the best first; equal
    /// ones in the order of the sources.
    pub fn best_sources(&self, target: usize, most: usize) -> Vec<(usize, &Measured)> {
        let mut best: Vec<_> = self
            .others(target)
            .filter_map(|source| Some((source, self.measured(source, target)?)))
            .filter(|(_, measured)| measured.score.is_finite())
            .collect();
        best.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
        best.truncate(most);
        best
    }

    /// The sources that are not the target itself.
    pub(super) fn others(&self, target: usize) -> impl Iterator<Item = usize> {
        let name = self.targets.get(target).map(|target| target.name.as_str());
        (0..self.sources.len()).filter(move |&source| Some(self.sources[source].as_str()) != name)
    }
}
