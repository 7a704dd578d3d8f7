//! The configuration of a run: plain data, one TOML file, every value visible.
//!
//! [`load`] builds it in layers (built-in values, a recipe, a file, `key=value` overrides); the
//! result is resolved: nothing in it depends on anything outside but [`PrecisionSetting::Auto`],
//! which a run replaces when it starts, and it round-trips through [`RunConfig::to_toml`]. A recipe or a file
//! may have settings for some models or methods alone (`[[when]]`).

mod check;
mod class_weights;
mod compute;
mod data;
mod describe;
mod keys;
mod layer;
mod layers;
mod method;
mod multitask;
mod recipes;
mod train;
mod when;

use serde::{Deserialize, Serialize};
use vlpt_adapter::ImageConfig;
use vlpt_data::fewshot::Shots;
use vlpt_data::image::Augment;
use vlpt_methods::MethodConfig;

pub use class_weights::{ClassWeights, WeightRule};
pub use compute::{ComputeConfig, LEAST_MEMORY_MB};
pub use data::{DataConfig, FewShotConfig, TaskEntry};
pub use keys::{all_keys, nearest};
pub use layers::{Layers, load, method_of, parse, read_resolved};
pub use multitask::{LabelSpace, MultitaskConfig};
pub use recipes::{DEFAULT_RECIPE, RECIPES, Recipe, default_recipe, recipe};
pub use train::*;

/// The model of a run that names none.
pub const DEFAULT_MODEL: &str = "openai/clip-vit-base-patch32";

/// Everything that decides a run's result, and how it is computed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunConfig {
    /// The base model: a folder or a name, see `vlpt_clip::ModelName`.
    pub model: String,
    /// Seed of initial values, order of images, views, and few-shot sampling; every number is one.
    pub seed: u64,
    /// The data sets to learn from together; empty: the one of `data`.
    pub tasks: Vec<TaskEntry>,
    /// A prompt folder, or a run folder with one, whose parameters the run starts from; empty: the
    /// method's own initial values.
    pub init_from: String,
    /// The method and its options.
    #[serde(serialize_with = "method::write")]
    pub method: MethodConfig,
    /// What to learn from, where it is one data set.
    pub data: DataConfig,
    /// Which of the training images are used.
    pub few_shot: FewShotConfig,
    /// How several data sets are learned from together.
    pub multitask: MultitaskConfig,
    /// The optimisation.
    pub train: TrainConfig,
    /// Augmented views of the training images.
    pub views: ViewConfig,
    /// Changes to the model's own preprocessing.
    pub image: ImageConfig,
    /// How it is computed.
    pub compute: ComputeConfig,
}

/// Augmented views: random resized crops and flips.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ViewConfig {
    /// Which views the training sees.
    pub mode: Views,
    /// Number of views of each image that are cached.
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
    /// A fixed number of augmented views of each image, computed once; an epoch uses one of them.
    /// Older files call it `bank`.
    #[serde(alias = "bank")]
    Cached,
    /// A new augmented view of every image in every epoch, as published. Older files call it `fresh`.
    #[serde(alias = "fresh")]
    Online,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            model: DEFAULT_MODEL.to_owned(),
            seed: 1,
            tasks: Vec::new(),
            init_from: String::new(),
            method: MethodConfig::default(),
            data: DataConfig::default(),
            few_shot: FewShotConfig::default(),
            multitask: MultitaskConfig::default(),
            train: TrainConfig::default(),
            views: ViewConfig::default(),
            image: ImageConfig::default(),
            compute: ComputeConfig::default(),
        }
    }
}

impl RunConfig {
    /// The seed of the few-shot sampling.
    pub fn few_shot_seed(&self) -> u64 {
        self.few_shot.seed.unwrap_or(self.seed)
    }

    /// Number of epochs, where [`RunConfig::steps`] does not say the length.
    pub fn epochs(&self) -> usize {
        self.train.epochs.count(self.few_shot.shots)
    }

    /// Number of steps, where the length is said in steps.
    pub fn steps(&self) -> Option<usize> {
        let per_shot = || match self.few_shot.shots {
            Shots::Count(shots) => Some(self.train.steps_per_shot?.saturating_mul(shots)),
            Shots::All => None,
        };
        self.train.steps.or_else(per_shot)
    }

    /// The configuration as a TOML file.
    pub fn to_toml(&self) -> String {
        toml::to_string_pretty(self).expect("plain data is always TOML")
    }

    /// As [`RunConfig::to_toml`], with a comment for each key of the file that is left out, so that
    /// every key can be seen.
    pub fn explained(&self) -> String {
        let text = self.to_toml();
        let table = toml::Table::try_from(self).expect("plain data is always TOML");
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for key in all_keys() {
            let Some((section, name)) = key.rsplit_once('.') else {
                continue;
            };
            if keys::value(&table, &key).is_some() {
                continue;
            }
            let head = format!("[{section}]");
            if let Some(at) = lines.iter().position(|line| *line == head) {
                lines.insert(at + 1, format!("# {name}: left out"));
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}
