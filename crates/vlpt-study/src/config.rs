//! What a study asks for.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::job::TaskSpec;

/// Which tasks, methods, shots and seeds a study compares.
///
/// Everything that changes a result belongs into `settings` of the study, of a method or of a task
/// (the model's hash, the images' fingerprint, the recipe), because a job's id is the hash of its
/// content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyConfig {
    /// Tasks to transfer from.
    pub sources: Vec<TaskSpec>,
    /// Tasks to transfer to. A task that is both must be equal in both lists.
    pub targets: Vec<TaskSpec>,
    /// Methods to compare.
    pub methods: Vec<StudyMethod>,
    /// Settings common to all jobs.
    pub settings: Value,
    /// Zero-shot CLIP on every target: its written prompts.
    pub zero_shot_clip: Option<ZeroShotClip>,
    /// Train on i, evaluate on j.
    pub zero_shot: Option<Transfer>,
    /// Start from i, tune on j, evaluate on j.
    pub adapted: Option<Adapted>,
    /// Tune on i and j together, evaluate on j.
    pub co_training: Option<Transfer>,
    /// One prompt for each group of targets.
    pub joint: Option<Joint>,
}

/// A method of a study.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyMethod {
    /// Name in tables; unique in a study.
    pub name: String,
    /// Its recipe.
    pub recipe: Value,
    /// It learns a context for each class: its prompt means nothing for other classes, and a
    /// study of transfer is refused.
    pub class_specific: bool,
}

/// Written prompts of zero-shot CLIP.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZeroShotClip {
    /// Its settings.
    pub recipe: Value,
}

/// Shots and seeds of zero-shot transfer or co-training.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Images per class.
    pub shots: Vec<usize>,
    /// Seeds.
    pub seeds: Vec<u64>,
}

/// Shots and seeds of adapted transfer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adapted {
    /// Images per class on the source.
    pub source_shots: usize,
    /// Images per class on the target.
    pub shots: Vec<usize>,
    /// Seeds; each starts from the source prompt of the same seed, or from the average.
    pub seeds: Vec<u64>,
    /// Start from the average of the source's prompts over these seeds, not from one prompt; none:
    /// the prompt of the same seed.
    pub average_over: Vec<u64>,
}

/// Groups of targets that share one prompt.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Joint {
    /// Names of targets, group by group.
    pub groups: Vec<Vec<String>>,
    /// Images per class.
    pub shots: Vec<usize>,
    /// Seeds.
    pub seeds: Vec<u64>,
}
