//! The configuration of a run: plain data, one TOML file, every value visible.
//!
//! [`load`] builds it in layers (built-in values, a recipe, a file, `key=value` overrides); the
//! result is resolved: nothing in it depends on anything outside, and it round-trips through
//! [`RunConfig::to_toml`].

mod check;
mod keys;
mod layers;
mod recipes;

use serde::{Deserialize, Serialize};
use vlpt_clip::MemoryBudget;
use vlpt_data::Format;
use vlpt_data::fewshot::{FewShotRule, Shots};
use vlpt_data::image::{Augment, ResizeMode};
use vlpt_methods::{CoOpConfig, MethodConfig};

use crate::loss::Loss;

pub use keys::{all_keys, nearest};
pub use layers::{load, parse, read_resolved};
pub use recipes::{RECIPES, Recipe, recipe};

/// The model of a run that names none.
pub const DEFAULT_MODEL: &str = "openai/clip-vit-base-patch32";

/// Everything that decides a run's result, and how it is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// The base model: a folder or a name, see `vlpt_clip::ModelName`.
    pub model: String,
    /// The prompt method; its options are in the table of the same name.
    pub method: Method,
    /// Seed of initial values, order of images, views, and few-shot sampling; every number is one.
    pub seed: u64,
    /// What to learn from.
    pub data: DataConfig,
    /// Which of the training images are used.
    pub few_shot: FewShotConfig,
    /// Options of CoOp.
    pub coop: CoOpConfig,
    /// The optimisation.
    pub train: TrainConfig,
    /// Augmented views of the training images.
    pub views: ViewConfig,
    /// Changes to the model's own preprocessing.
    pub image: ImageConfig,
    /// How it is computed.
    pub compute: ComputeConfig,
}

/// The prompt methods by name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Context optimisation.
    #[default]
    CoOp,
}

/// A data set and how to read it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// A folder or file, or `drawn:NAME` for a task that the program draws itself.
    pub path: String,
    /// The layout; left out: recognised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Name of the set: chooses one of several below a root, and its catalogue entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seed of the split of a set that brings none, and of a drawn task.
    pub split_seed: u64,
    /// Column with the images of a Parquet file or manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_column: Option<String>,
    /// Column with the labels of a Parquet file or manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_column: Option<String>,
    /// File with the class names, one a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class_file: Option<String>,
    /// Leave out class folders without images instead of refusing them.
    pub drop_empty_classes: bool,
    /// Leave out listed images that are absent instead of refusing them.
    pub skip_missing_images: bool,
    /// Templates for zero-shot texts; empty: the task's own.
    pub templates: Vec<String>,
}

/// How the training images are sampled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FewShotConfig {
    /// The sampling rule; left out: `coop`, or `elevater` where images have several labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<FewShotRule>,
    /// Images of each class, or `all`.
    pub shots: Shots,
    /// Seed of the sampling; left out: the run's seed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for FewShotConfig {
    fn default() -> Self {
        Self {
            rule: None,
            shots: Shots::Count(16),
            seed: None,
        }
    }
}

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
    /// Images in a step.
    pub batch_size: usize,
    /// The optimiser.
    pub optimizer: OptimizerName,
    /// Learning rate at its peak.
    pub lr: f64,
    /// Momentum of SGD.
    pub momentum: f64,
    /// First and second moment decay of AdamW.
    pub betas: [f64; 2],
    /// Added to the denominator of AdamW.
    pub eps: f64,
    /// Weight decay: added to the gradient by SGD, decoupled in AdamW.
    pub weight_decay: f64,
    /// What is minimised.
    pub loss: LossName,
    /// How the learning rate falls, epoch by epoch.
    pub schedule: ScheduleName,
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
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: Epochs::Count(50),
            batch_size: 32,
            optimizer: OptimizerName::Sgd,
            lr: 0.002,
            momentum: 0.9,
            betas: [0.9, 0.999],
            eps: 1e-8,
            weight_decay: 5e-4,
            loss: LossName::CrossEntropy,
            schedule: ScheduleName::Cosine,
            milestones: Vec::new(),
            gamma: 0.1,
            warmup: Warmup::Constant,
            warmup_epochs: 1,
            warmup_lr: 1e-5,
            select: Select::Last,
            drop_last: true,
        }
    }
}

/// The optimisers by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerName {
    /// Stochastic gradient descent with momentum.
    Sgd,
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
    /// Half a cosine down to 0.
    Cosine,
    /// Multiplied by `gamma` at each of `milestones`.
    Steps,
    /// Always the peak.
    Constant,
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
}

/// Augmented views: random resized crops and flips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewConfig {
    /// Which views the training sees.
    pub mode: Views,
    /// Number of views of each image in a bank.
    pub count: usize,
    /// Smallest and largest share of the image's area in a crop.
    pub scale: [f64; 2],
    /// Smallest and largest aspect ratio of a crop.
    pub ratio: [f64; 2],
    /// Probability of a horizontal flip.
    pub flip: f64,
}

impl Default for ViewConfig {
    fn default() -> Self {
        let augment = Augment::default();
        Self {
            mode: Views::None,
            count: 4,
            scale: [augment.scale.0, augment.scale.1],
            ratio: [augment.ratio.0, augment.ratio.1],
            flip: augment.flip,
        }
    }
}

impl ViewConfig {
    /// The augmentation that these options describe.
    pub fn augment(&self) -> Augment {
        Augment {
            scale: (self.scale[0], self.scale[1]),
            ratio: (self.ratio[0], self.ratio[1]),
            flip: self.flip,
        }
    }
}

/// Which views of its images a training sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Views {
    /// The evaluation view alone, computed once.
    None,
    /// A fixed number of views of each image, computed once; an epoch uses one of them.
    Bank,
    /// A new view of every image in every epoch, as published.
    Fresh,
}

/// Changes to the model's own preprocessing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageConfig {
    /// How an image becomes a square; left out: as the model says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<ResizeMode>,
}

/// How a run is computed; of these, only `memory_mb` may change the last bits of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ComputeConfig {
    /// Number format of the towers.
    pub precision: Precision,
    /// Threads; 0: one for each processor core.
    pub threads: usize,
    /// Memory for what the text tower keeps for its backward pass, in MiB.
    pub memory_mb: usize,
    /// Images in the image tower at once.
    pub image_batch: usize,
    /// Seconds between checkpoints; 0: after every step.
    pub checkpoint_seconds: u64,
}

impl Default for ComputeConfig {
    fn default() -> Self {
        Self {
            precision: Precision::F32,
            threads: 0,
            memory_mb: MemoryBudget::default().bytes >> 20,
            image_batch: 32,
            checkpoint_seconds: 10,
        }
    }
}

/// Number formats of the towers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point, the reference.
    F32,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            model: DEFAULT_MODEL.to_owned(),
            method: Method::CoOp,
            seed: 1,
            data: DataConfig::default(),
            few_shot: FewShotConfig::default(),
            coop: CoOpConfig::default(),
            train: TrainConfig::default(),
            views: ViewConfig::default(),
            image: ImageConfig::default(),
            compute: ComputeConfig::default(),
        }
    }
}

impl RunConfig {
    /// The method and its options.
    pub fn method_config(&self) -> MethodConfig {
        match self.method {
            Method::CoOp => MethodConfig::CoOp(self.coop.clone()),
        }
    }

    /// The seed of the few-shot sampling.
    pub fn few_shot_seed(&self) -> u64 {
        self.few_shot.seed.unwrap_or(self.seed)
    }

    /// Number of epochs.
    pub fn epochs(&self) -> usize {
        self.train.epochs.count(self.few_shot.shots)
    }

    /// The configuration as a TOML file.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("plain data is always TOML")
    }
}
