//! The optimisation of a run.

use serde::{Deserialize, Serialize};
use vlpt_data::fewshot::Shots;

use super::ClassWeights;
use crate::loss::Loss;

/// Number of epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of epochs, or \"by-shots\"")]
pub enum Epochs {
    /// So many.
    Count(usize),
    /// As CoOp's experiments: see [`Epochs::count`].
    Rule(EpochRule),
}

/// A rule for the number of epochs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpochRule {
    /// 50 for 1 shot, 100 for 2 to 4, 200 for more, 50 for all images.
    #[serde(rename = "by-shots")]
    ByShots,
}

impl Epochs {
    /// The number for so many shots.
    pub fn count(self, shots: Shots) -> usize {
        match self {
            Self::Count(count) => count,
            Self::Rule(EpochRule::ByShots) => match shots {
                Shots::All | Shots::Count(0 | 1) => 50,
                Shots::Count(2..=4) => 100,
                Shots::Count(_) => 200,
            },
        }
    }
}

/// The optimisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training images: a number, or `by-shots` (50, 100 or 200 as CoOp's
    /// experiments; a resolved configuration holds the number).
    pub epochs: Epochs,
    /// Length in steps, in place of `epochs`; the last epoch ends where the steps do. Left out: whole
    /// epochs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<usize>,
    /// The same as so many steps for each of `few_shot.shots`, whatever the number of classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps_per_shot: Option<usize>,
    /// Images in a step.
    pub batch_size: usize,
    /// The optimiser.
    pub optimizer: OptimizerName,
    /// Learning rate at its peak.
    pub lr: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// First and second moment decay of Adam and AdamW.
    pub betas: [f64; 2],
    /// Added to the denominator of Adam and AdamW.
    pub eps: f64,
    /// Weight decay: added to the gradient by SGD and Adam, decoupled in AdamW.
    pub weight_decay: f64,
    /// What is minimised.
    pub loss: LossName,
    /// How the learning rate falls.
    pub schedule: ScheduleName,
    /// Whether it moves after every epoch or after every step.
    #[serde(skip_serializing_if = "ScheduleBy::is_epoch")]
    pub schedule_by: ScheduleBy,
    /// Learning rate that `schedule = "cosine"` falls to.
    #[serde(skip_serializing_if = "is_zero")]
    pub lr_min: f64,
    /// Epochs at which `schedule = "steps"` multiplies the rate by `gamma`.
    pub milestones: Vec<usize>,
    /// Factor of `schedule = "steps"`.
    pub gamma: f64,
    /// How the first epochs are warmed up.
    pub warmup: Warmup,
    /// Length of the warm-up in epochs.
    pub warmup_epochs: usize,
    /// Learning rate of a constant warm-up; where a linear one starts.
    pub warmup_lr: f64,
    /// Which epoch's prompt is kept.
    pub select: Select,
    /// Leave out the last, incomplete batch of an epoch when there is a whole one.
    pub drop_last: bool,
    /// Go through the images in a new random order in every epoch; off: in the order of the draw.
    #[serde(skip_serializing_if = "is_on")]
    pub shuffle: bool,
    /// Write every step's loss to `events.jsonl` too, not the mean of each epoch alone.
    #[serde(skip_serializing_if = "is_off")]
    pub log_steps: bool,
    /// What images of each class weigh in the loss; left out: all alike.
    #[serde(skip_serializing_if = "ClassWeights::is_none")]
    pub class_weights: ClassWeights,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: Epochs::Count(50),
            steps: None,
            steps_per_shot: None,
            batch_size: 32,
            optimizer: OptimizerName::Sgd,
            lr: 0.002,
            momentum: 0.9,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 5e-4,
            loss: LossName::CrossEntropy,
            schedule: ScheduleName::Cosine,
            schedule_by: ScheduleBy::Epoch,
            lr_min: 0.0,
            milestones: Vec::new(),
            gamma: 0.1,
            warmup: Warmup::Constant,
            warmup_epochs: 1,
            warmup_lr: 1e-5,
            select: Select::Last,
            drop_last: true,
            shuffle: true,
            log_steps: false,
            class_weights: ClassWeights::default(),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
fn is_on(value: &bool) -> bool {
    *value
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
fn is_off(value: &bool) -> bool {
    !*value
}

/// The optimisers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam, weight decay added to the gradient.
    Adam,
    /// Adam with decoupled weight decay.
    AdamW,
}

/// The losses by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossName {
    /// Softmax cross entropy; the labels of an image share its weight.
    CrossEntropy,
    /// Binary cross entropy of each class by itself, for images with several labels.
    Binary,
}

impl From<LossName> for Loss {
    fn from(name: LossName) -> Self {
        match name {
            LossName::CrossEntropy => Self::CrossEntropy,
            LossName::Binary => Self::Binary,
        }
    }
}

/// The schedules by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleName {
    /// Half a cosine down to `lr_min`.
    Cosine,
    /// Multiplied by `gamma` at each of `milestones`.
    Steps,
    /// Always the peak.
    Constant,
}

/// What a schedule counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScheduleBy {
    /// Epochs.
    #[default]
    Epoch,
    /// Steps; warm-up and milestones stay whole epochs, as so many steps.
    Step,
}

impl ScheduleBy {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_epoch(&self) -> bool {
        *self == Self::Epoch
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The warm-ups by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Warmup {
    /// The schedule from the first epoch.
    None,
    /// `warmup_lr` for `warmup_epochs`.
    Constant,
    /// A line from `warmup_lr` to the peak.
    Linear,
}

/// Which epoch's prompt a run keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// The last epoch's.
    Last,
    /// The first epoch's with the best value of the task's metric on the validation images.
    BestVal,
    /// The same on the test images, which makes a test of them too good: what ELEVATER's toolkit and
    /// Tip-Adapter-F report. For comparison only.
    BestTest,
}

impl Select {
    /// Whether every epoch is judged, for the best one to be kept.
    pub fn judges_epochs(self) -> bool {
        self != Self::Last
    }

    /// The name in configurations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Last => "last",
            Self::BestVal => "best_val",
            Self::BestTest => "best_test",
        }
    }
}
