//! What jobs say about models, tasks and methods, and the configuration of a run made of it.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vlpt_clip::Precision;
use vlpt_data::Shots;
use vlpt_train::{DataConfig, EpochRule, Epochs, RunConfig, TaskEntry};

use crate::executor::ExecutorError;
use crate::job::{Job, TaskSpec};

/// Settings that all jobs of a study share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommonSettings {
    /// The base model's name.
    pub model: String,
    /// SHA-256 over its configuration and tensors.
    pub model_fingerprint: String,
    /// Number format of the model's towers, decided when the study was planned, so that every worker
    /// computes the same; f32 in plans of programs that had no other.
    #[serde(default = "reference")]
    pub precision: Precision,
    /// At most so many test images of each task are looked at; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_images: Option<usize>,
    /// What of an evaluation is kept beside its score.
    #[serde(default, skip_serializing_if = "Keep::is_score")]
    pub keep: Keep,
}

/// What of an evaluation is kept beside the score of the task's own metric.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Nothing.
    #[default]
    Score,
    /// The other measures, and each image's answer, in the job's folder.
    Answers,
    /// As `Answers`, with the probability of every class.
    Probabilities,
}

impl Keep {
    #[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
    fn is_score(&self) -> bool {
        *self == Self::Score
    }
}

fn reference() -> Precision {
    Precision::F32
}

impl Default for CommonSettings {
    fn default() -> Self {
        Self {
            model: String::new(),
            model_fingerprint: String::new(),
            precision: reference(),
            test_images: None,
            keep: Keep::Score,
        }
    }
}

/// Settings of one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskSettings {
    /// Where it lies and how it is read; an absolute path, so that any worker finds it.
    pub data: DataConfig,
    /// SHA-256 over classes, templates, labels and the bytes of all images that may be looked at.
    pub fingerprint: String,
}

/// Keys of a configuration that a job decides and not its recipe.
pub(super) const OF_THE_UNIT: [&str; 7] = [
    "model",
    "seed",
    "few_shot.shots",
    "init_from",
    "tasks",
    "compute.precision",
    "compute.threads",
];

/// The key of a recipe that says what is tried out before the training.
pub(super) const SEARCH: &str = "search";

/// `compute.memory_mb` of a job whose configuration leaves it open.
const MEMORY_MB: u64 = 512;

/// A configuration as the recipe of jobs: without what jobs decide, how it is computed, and the
/// options of other methods.
pub(super) fn recipe_of(config: &RunConfig) -> Value {
    let mut value = serde_json::to_value(config).expect("plain data has string keys");
    let table = value.as_object_mut().expect("a structure is an object");
    for key in ["data", "model", "seed", "init_from", "tasks"] {
        table.shift_remove(key);
    }
    let inner = [
        ("few_shot", &["shots"][..]),
        ("compute", &["precision", "threads", "checkpoint_seconds"]),
    ];
    for (section, keys) in inner {
        if let Some(section) = table.get_mut(section).and_then(Value::as_object_mut) {
            for key in keys {
                section.shift_remove(*key);
            }
        }
    }
    // jobs run side by side, and on machines that may differ
    if let Some(memory) = value.pointer_mut("/compute/memory_mb")
        && memory.as_u64() == Some(0)
    {
        *memory = MEMORY_MB.into();
    }
    value
}

/// Takes the number of epochs back to the rule it came from, where it depends on the shots.
pub(super) fn with_rule(mut few: RunConfig, many: &RunConfig) -> RunConfig {
    if few.train.epochs != many.train.epochs {
        few.train.epochs = Epochs::Rule(EpochRule::ByShots);
    }
    few
}

/// The configuration of a job's run. `start` is the prompt it starts from.
pub(super) fn run_config(
    job: &Job,
    start: Option<&Path>,
    threads: usize,
) -> Result<RunConfig, ExecutorError> {
    let common: CommonSettings = read("settings", &job.settings)?;
    let mut recipe = job.recipe.clone();
    if let Some(table) = recipe.as_object_mut() {
        table.shift_remove(SEARCH);
    }
    let mut config: RunConfig = read("recipe", &recipe)?;
    config.model = common.model;
    config.compute.precision = common.precision.into();
    config.seed = job.seed;
    config.few_shot.shots = Shots::Count(job.shots);
    config.train.epochs = Epochs::Count(config.epochs());
    config.compute.threads = threads;
    if let Some(start) = start {
        config.init_from = start.display().to_string();
    }
    let mut data = Vec::new();
    for task in &job.train_on {
        data.push(task_settings(task)?.data);
    }
    match <[DataConfig; 1]>::try_from(data) {
        Ok([one]) => config.data = one,
        Err(several) => config.tasks = several.into_iter().map(TaskEntry::Table).collect(),
    }
    config.check()?;
    Ok(config)
}

/// The settings of a task.
pub(super) fn task_settings(task: &TaskSpec) -> Result<TaskSettings, ExecutorError> {
    read(&format!("task \"{}\"", task.name), &task.settings)
}

/// The settings that all jobs share.
pub(super) fn common(job: &Job) -> Result<CommonSettings, ExecutorError> {
    read("settings", &job.settings)
}

fn read<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, ExecutorError> {
    T::deserialize(value).map_err(|error| format!("{what} of the job: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(settings: &[&str], shots: usize, tasks: &[&str]) -> Job {
        let load = |shots: &str| {
            let mut all: Vec<String> = settings.iter().map(ToString::to_string).collect();
            all.push(format!("few_shot.shots={shots}"));
            vlpt_train::load(None, None, &all).unwrap()
        };
        let common = CommonSettings {
            model: "mini-clip".into(),
            ..CommonSettings::default()
        };
        let task = |name: &&str| TaskSpec {
            name: (*name).to_owned(),
            settings: json!({"data": {"path": name}, "fingerprint": ""}),
        };
        Job {
            kind: crate::Kind::Train,
            method: "m".into(),
            train_on: tasks.iter().map(task).collect(),
            start_from: None,
            evaluate_on: Vec::new(),
            shots,
            seed: 7,
            recipe: recipe_of(&with_rule(load("1"), &load("16"))),
            settings: json!(common),
        }
    }

    #[test]
    fn a_job_makes_the_configuration_that_the_command_line_makes() {
        let settings = [
            "method=upt",
            "train.epochs=by-shots",
            "upt.text_count=3",
            "train.lr=1e-5",
        ];
        for shots in [1, 4, 16] {
            let made = run_config(&job(&settings, shots, &["here"]), None, 3).unwrap();
            let mut all: Vec<String> = settings.iter().map(ToString::to_string).collect();
            all.extend([
                "model=mini-clip".into(),
                "seed=7".into(),
                format!("few_shot.shots={shots}"),
                "data.path=here".into(),
                "compute.threads=3".into(),
                "compute.precision=f32".into(),
                "compute.memory_mb=512".into(),
            ]);
            assert_eq!(made, vlpt_train::load(None, None, &all).unwrap());
        }
    }

    #[test]
    fn several_tasks_and_a_start_are_written_where_a_run_reads_them() {
        let job = job(&["method=vpt"], 2, &["one", "two"]);
        let made = run_config(&job, Some(Path::new("/a/prompt")), 1).unwrap();
        let paths: Vec<&str> = made.tasks.iter().map(TaskEntry::path).collect();
        assert_eq!(paths, ["one", "two"]);
        assert_eq!(made.init_from, "/a/prompt");
        assert_eq!(made.data, DataConfig::default());
    }

    #[test]
    fn options_of_other_methods_change_no_recipe() {
        let a = job(&["method=vpt", "coop.context=3"], 2, &["one"]);
        let b = job(&["method=vpt", "coop.context=9"], 2, &["one"]);
        assert_eq!(a.id(), b.id());
        let c = job(&["method=vpt", "vpt.count=9"], 2, &["one"]);
        assert_ne!(a.id(), c.id());
    }

    #[test]
    fn a_job_says_in_which_number_format_it_computes() {
        let mut job = job(&["method=vpt"], 2, &["one"]);
        let before = job.id();
        for precision in [Precision::F32, Precision::Bf16] {
            job.settings["precision"] = json!(precision);
            let made = run_config(&job, None, 1).unwrap();
            assert_eq!(made.compute.precision.named(), Some(precision));
        }
        assert_ne!(job.id(), before);
        // a plan of a program that had no other format
        job.settings
            .as_object_mut()
            .unwrap()
            .shift_remove("precision");
        let made = run_config(&job, None, 1).unwrap();
        assert_eq!(made.compute.precision.named(), Some(Precision::F32));
    }

    #[test]
    fn the_memory_of_a_job_does_not_depend_on_the_machine() {
        let mut config = RunConfig::default();
        assert_eq!(recipe_of(&config)["compute"]["memory_mb"], MEMORY_MB);
        config.compute.memory_mb = 77;
        assert_eq!(recipe_of(&config)["compute"]["memory_mb"], 77);
    }
}
