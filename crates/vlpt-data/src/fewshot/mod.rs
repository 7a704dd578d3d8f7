//! Few shots: the subset of a task that is learned from, drawn by a published rule.
//!
//! Two rules exist in the field, and each is followed to the last draw, with CPython's own generator
//! ([`crate::rng`]), so that a subset is the one that published code would have used:
//! [`FewShotRule::Coop`] ([`coop`]) and [`FewShotRule::Elevater`] ([`elevater`]).
//!
//! A [`Subset`] names its images, and is stored as JSON with a hash of its content.

pub mod coop;
pub mod elevater;
mod error;
mod joint;
mod subset;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use error::FewShotError;
pub use joint::{few_shot_joint, few_shot_stream};
pub use subset::Subset;

use crate::error::Result;
use crate::rng::CPython;
use crate::task::{Format, Task};

/// How the images of a subset are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FewShotRule {
    /// K random images a class for training, min(K, 4) of the val split for validation.
    Coop,
    /// About K images a class in shuffled order, a fifth of them for validation.
    Elevater,
}

impl FewShotRule {
    /// The rule that published figures on such a task were drawn by: ELEVATER's for tasks in its
    /// layout and for those with several labels an image, else CoOp's.
    pub fn usual(task: &Task) -> Self {
        if task.multi_label || task.provenance.format == Format::Elevater {
            Self::Elevater
        } else {
            Self::Coop
        }
    }

    /// The name in configs, files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Coop => "coop",
            Self::Elevater => "elevater",
        }
    }
}

impl fmt::Display for FewShotRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for FewShotRule {
    type Err = FewShotError;

    fn from_str(text: &str) -> std::result::Result<Self, FewShotError> {
        match text.to_ascii_lowercase().as_str() {
            "coop" => Ok(Self::Coop),
            "elevater" => Ok(Self::Elevater),
            _ => Err(FewShotError::UnknownRule {
                found: text.to_owned(),
            }),
        }
    }
}

/// How many images of each class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ShotsRepr", try_from = "ShotsRepr")]
pub enum Shots {
    /// The whole train split; `all` in configs and files.
    All,
    /// So many images a class. 0 is refused when a subset is drawn.
    Count(usize),
}

/// A number or the word `all`.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ShotsRepr {
    Count(usize),
    Word(String),
}

impl From<Shots> for ShotsRepr {
    fn from(shots: Shots) -> Self {
        match shots {
            Shots::All => Self::Word("all".to_owned()),
            Shots::Count(count) => Self::Count(count),
        }
    }
}

impl TryFrom<ShotsRepr> for Shots {
    type Error = FewShotError;

    fn try_from(repr: ShotsRepr) -> std::result::Result<Self, FewShotError> {
        match repr {
            ShotsRepr::Count(count) => Ok(Self::Count(count)),
            ShotsRepr::Word(word) => word.parse(),
        }
    }
}

impl From<usize> for Shots {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl fmt::Display for Shots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl FromStr for Shots {
    type Err = FewShotError;

    /// A number, or `all` (also `full`).
    fn from_str(text: &str) -> std::result::Result<Self, FewShotError> {
        match text.trim() {
            "all" | "full" => Ok(Self::All),
            other => match other.parse() {
                Ok(count) if count > 0 => Ok(Self::Count(count)),
                _ => Err(FewShotError::UnknownShots {
                    found: text.to_owned(),
                }),
            },
        }
    }
}

/// Draws the subset of `shots` images a class. Every seed counts, 0 too.
///
/// # Errors
/// 0 shots, a task without training images, a label beyond the classes, and under the CoOp rule an
/// image that has not exactly one label.
pub fn few_shot(task: &Task, rule: FewShotRule, shots: usize, seed: u64) -> Result<Subset> {
    few_shot_of(task, rule, Shots::Count(shots), seed)
}

/// [`few_shot`] for any number of shots, [`Shots::All`] included.
///
/// With all shots the CoOp rule gives the train and val splits as they are, and the ELEVATER rule
/// the train split parted 80 to 20.
///
/// # Errors
/// As [`few_shot`].
pub fn few_shot_of(task: &Task, rule: FewShotRule, shots: Shots, seed: u64) -> Result<Subset> {
    let chosen = match rule {
        FewShotRule::Coop => choose_coop(task, shots, &mut CPython::new(seed))?,
        FewShotRule::Elevater => choose_elevater(task, shots, seed)?,
    };
    Ok(Subset::new(task, rule, shots, seed, &chosen, Vec::new()))
}

/// Indices into the splits of a task.
struct Chosen {
    /// Into the train split.
    train: Vec<usize>,
    /// Into the train split (ELEVATER) or the val split (CoOp).
    val: Vec<usize>,
}

/// Checks what every rule needs: shots, images, labels below the number of classes.
fn check(task: &Task, shots: Shots) -> std::result::Result<(), FewShotError> {
    let name = || task.name.clone();
    if shots == Shots::Count(0) {
        return Err(FewShotError::NoShots { task: name() });
    }
    if task.train.is_empty() {
        return Err(FewShotError::NoTrainingImages { task: name() });
    }
    let classes = task.classes.len();
    for sample in task
        .train
        .samples
        .iter()
        .chain(task.val.iter().flat_map(|val| &val.samples))
    {
        if let Some(&label) = sample
            .labels
            .iter()
            .find(|&&label| label as usize >= classes)
        {
            let id = sample.image.id();
            return Err(FewShotError::LabelOutOfRange {
                task: name(),
                id,
                label,
                classes,
            });
        }
    }
    Ok(())
}

/// The CoOp rule, on a stream that goes on.
fn choose_coop(task: &Task, shots: Shots, rng: &mut CPython) -> Result<Chosen> {
    check(task, shots)?;
    let val_len = task.val.as_ref().map_or(0, |val| val.samples.len());
    let Shots::Count(shots) = shots else {
        let train = (0..task.train.samples.len()).collect();
        return Ok(Chosen {
            train,
            val: (0..val_len).collect(),
        });
    };
    let labels = coop::single_labels(&task.name, &task.train)?;
    let val_labels = match &task.val {
        Some(val) => coop::single_labels(&task.name, val)?,
        None => Vec::new(),
    };
    Ok(Chosen {
        train: coop::coop_indices(&labels, shots, rng),
        val: coop::coop_indices(&val_labels, shots.min(coop::VAL_SHOTS), rng),
    })
}

/// The ELEVATER rule on one task.
fn choose_elevater(task: &Task, shots: Shots, seed: u64) -> Result<Chosen> {
    check(task, shots)?;
    let labels: Vec<&[u32]> = task
        .train
        .samples
        .iter()
        .map(|sample| &sample.labels[..])
        .collect();
    let classes = task.classes.len();
    if !task.multi_label {
        coop::single_labels(&task.name, &task.train)?;
    }
    let sampled = match shots {
        Shots::All => (0..labels.len()).collect(),
        Shots::Count(shots) => elevater::elevater_indices(&labels, classes, shots, seed),
    };
    if shots == Shots::Count(1) {
        // One image a class cannot be parted; the published code validates on the training images.
        return Ok(Chosen {
            train: sampled.clone(),
            val: sampled,
        });
    }
    let parts = if task.multi_label {
        let own: Vec<&[u32]> = sampled.iter().map(|&index| labels[index]).collect();
        elevater::split_multi(&own, classes)
    } else {
        let own: Vec<u32> = sampled.iter().map(|&index| labels[index][0]).collect();
        elevater::split_single(&own)
    };
    let index = |places: Vec<usize>| places.into_iter().map(|place| sampled[place]).collect();
    Ok(Chosen {
        train: index(parts.train),
        val: index(parts.val),
    })
}
