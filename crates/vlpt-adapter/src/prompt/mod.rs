//! The prompt folder: everything that prediction needs beside the base model.
//!
//! | file | holds |
//! |---|---|
//! | `adapter_config.json` | [`Adapter`]: method, base model and its fingerprint, preprocessing, seed |
//! | `adapter_model.safetensors` | the parameters, with the main facts as metadata |
//! | `class_names.txt` | the class names, one a line |
//! | `classifier.safetensors` | the classifier, with the visual prompts that images need |
//! | `checksums.sha256` | the hashes of the four files above, checked when the folder is opened |
//! | `metrics.json` | what the training measured |
//! | `README.md` | the same for people |

mod annotate;
mod average;
mod checksums;
mod choices;
mod import;
mod member;
mod peft;
mod read;
mod sizes;
mod stored;
mod write;

use std::collections::BTreeMap;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use vlpt_clip::Precision;
use vlpt_data::image::Preprocess;
use vlpt_data::{Metric, Shots};
use vlpt_methods::MethodConfig;

use vlpt_base::hash::fingerprint;

pub use annotate::{Annotations, annotate_prompt};
pub use average::{Averaged, AveragedSource, average_prompts, average_prompts_to};
pub use import::{ImportOptions, ImportTask, Imported, LeftOut, UsedTensor, import_checkpoint};
pub use read::{PromptFolder, PromptReport};
pub use write::{PromptContent, VAL_TASKS, write_prompt};

/// Version of the folder's layout.
pub const FORMAT: u32 = 1;

/// `adapter_config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adapter {
    /// Version of the folder's layout.
    pub format: u32,
    /// Version of the program that wrote it.
    pub version: String,
    /// The method and its options.
    pub method: MethodConfig,
    /// Shapes of the parameters by name.
    pub parameters: BTreeMap<String, Vec<usize>>,
    /// Name of the base model.
    pub base_model: String,
    /// SHA-256 over the base model's configuration and tensors.
    pub base_model_fingerprint: String,
    /// Number format of the towers that made what is in the folder; none in folders of programs that
    /// had no other than f32.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Size of the joint space.
    pub embed_dim: usize,
    /// The task's name.
    pub task: String,
    /// Number of classes.
    pub classes: usize,
    /// SHA-256 over the class names.
    pub class_names_sha256: String,
    /// Whether an image may show several classes.
    pub multi_label: bool,
    /// The number the task is judged by.
    pub metric: Metric,
    /// How images are made ready.
    pub preprocess: Preprocess,
    /// The run's seed.
    pub seed: u64,
    /// Images of each class.
    pub shots: Shots,
    /// Hash of the few-shot subset.
    pub subset_sha256: String,
    /// Epochs trained.
    pub epochs: usize,
    /// The epoch whose parameters these are, counted from 1.
    pub selected_epoch: usize,
    /// The tasks it was tuned on together, their classes one after the other; empty for one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<AdapterTask>,
    /// The prompt that tuning started from, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitSource>,
    /// What held-out images said of its probabilities, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
}

/// What held-out images said of a classifier's probabilities. It holds for the classes that it was
/// tuned for, and for no others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// What logits are divided by before they become probabilities; above 0.
    pub temperature: f64,
    /// The least probability of an answer; below it an image shows none of the classes. None: there
    /// were too few images to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The share of images of the classes that the threshold may reject.
    pub reject_rate: f64,
}

/// One of the tasks that a prompt was tuned on together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterTask {
    /// Its name.
    pub name: String,
    /// Its classes among all.
    pub classes: Range<usize>,
    /// Whether an image may show several of them.
    pub multi_label: bool,
    /// The number it is judged by.
    pub metric: Metric,
}

/// The prompt that a run starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitSource {
    /// The folder, as it was given.
    pub folder: String,
    /// The task it was tuned on.
    pub task: String,
    /// Its seed.
    pub seed: u64,
    /// SHA-256 over its values.
    pub sha256: String,
}

/// SHA-256 over class names.
pub fn class_names_sha256(classes: &[String]) -> String {
    fingerprint(classes)
}
