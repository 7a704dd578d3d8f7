//! One prompt for a group of tasks, each member beside its single-task result.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_base::files::write_atomic;
use vlpt_clip::Clip;
use vlpt_data::{Metric, Task};
use vlpt_train::TrainObserver;
use vlpt_train::{RunConfig, RunOptions, RunSummary, TrainError};

use super::judge::Judge;
use crate::executor::{ConstantTexts, Experiment};
use crate::{Result, StudyError};

/// Where the single-task results are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Singles<'a> {
    /// From nowhere.
    None,
    /// Each member is trained alone too, in the folder `single/TASK` of the run.
    Train,
    /// From prompt or run folders named after the tasks, in this folder.
    Against(&'a Path),
}

/// A prompt for a group of tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Joint {
    /// The run.
    pub run: RunSummary,
    /// The tasks, in the order of the list.
    pub members: Vec<JointMember>,
    /// In what the single-task prompts were tuned otherwise than this one.
    pub notes: Vec<String>,
}

/// What a joint prompt does for one of its tasks: values of the task's metric on its test images,
/// among the task's own classes, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JointMember {
    /// The task.
    pub task: String,
    /// Its metric.
    pub metric: Metric,
    /// Number of test images.
    pub images: usize,
    /// Without any tuning, with the task's own templates.
    pub zero_shot: f64,
    /// With the prompt tuned on this task alone.
    pub single: Option<f64>,
    /// With the joint prompt.
    pub joint: f64,
    /// The prompt folder that `single` is from.
    #[serde(skip)]
    pub single_prompt: Option<PathBuf>,
}

/// Tunes one prompt for all of `tasks`, those of the configuration, and evaluates it on each.
/// `options.dir` becomes the run; the values are in its `joint.json` too.
///
/// # Errors
/// As [`Run::start_or_resume`](vlpt_train::Run::start_or_resume) and [`evaluate`](vlpt_adapter::evaluate()); a single-task prompt
/// that is absent, of another task, or of another model.
pub fn train_jointly(
    config: &RunConfig,
    singles: Singles,
    options: &RunOptions,
    clip: &Clip,
    tasks: &[Task],
    observer: &dyn TrainObserver,
) -> Result<Joint> {
    // Before the work, what can be refused.
    let given = match singles {
        Singles::Against(folder) => tasks
            .iter()
            .map(|task| single_in(folder, task, clip).map(Some))
            .collect::<Result<Vec<_>>>()?,
        _ => tasks.iter().map(|_| None).collect(),
    };
    let texts = ConstantTexts::default();
    let experiment = Experiment {
        clip,
        texts: &texts,
        observer,
    };
    let summary = experiment.train(config, options, tasks)?;
    let joint = PromptFolder::open(&summary.prompt)?;
    let mut members = Vec::with_capacity(tasks.len());
    let mut notes = Vec::new();
    for (number, (task, given)) in tasks.iter().zip(given).enumerate() {
        let single = match (given, singles) {
            (None, Singles::Train) => {
                let mut alone = config.clone();
                if let Some(entry) = config.tasks.get(number) {
                    alone.tasks = vec![entry.clone()];
                }
                let own = RunOptions {
                    dir: options.dir.join("single").join(folder_name(&task.name)),
                    cache: options.cache.clone(),
                };
                let summary = experiment.train(&alone, &own, std::slice::from_ref(task))?;
                Some(PromptFolder::open(&summary.prompt)?)
            }
            (given, _) => given,
        };
        let judge = Judge::new(&experiment, task, options)?;
        let tuned = judge.prompt(&joint)?;
        notes.extend(single.iter().filter_map(|single| otherwise(single, &joint)));
        members.push(JointMember {
            task: task.name.clone(),
            metric: task.metric,
            images: tuned.images,
            zero_shot: judge.zero_shot(&joint.adapter.preprocess)?.value,
            joint: tuned.value,
            single: match &single {
                Some(single) => Some(judge.prompt(single)?.value),
                None => None,
            },
            single_prompt: single.map(|single| single.path),
        });
    }
    let text = serde_json::to_string_pretty(&members).map_err(std::io::Error::other)?;
    write_atomic(
        &options.dir.join("joint.json"),
        format!("{text}\n").as_bytes(),
    )?;
    Ok(Joint {
        run: summary,
        members,
        notes,
    })
}

/// A task's name as that of a folder.
fn folder_name(task: &str) -> String {
    task.replace(['/', '\\', ':'], "_")
}

/// The single-task prompt of a task.
fn single_in(folder: &Path, task: &Task, clip: &Clip) -> Result<PromptFolder> {
    let path = folder.join(folder_name(&task.name));
    let refuse = |what: String| {
        StudyError::Train(TrainError::Incompatible {
            what,
            hint: Some(format!(
                "tune one: `vlpt train DATA --out {}`",
                path.display()
            )),
        })
    };
    if !path.is_dir() {
        return Err(refuse(format!(
            "{}: there is no single-task prompt of {}",
            path.display(),
            task.name
        )));
    }
    let prompt = PromptFolder::open(&path)?;
    prompt.check_model(clip)?;
    if prompt.classes != task.classes {
        return Err(refuse(format!(
            "{}: the prompt was tuned on {}, which has other classes than {}",
            path.display(),
            prompt.adapter.task,
            task.name
        )));
    }
    Ok(prompt)
}

/// In what a single-task prompt was tuned otherwise than the joint one.
fn otherwise(single: &PromptFolder, joint: &PromptFolder) -> Option<String> {
    let (a, b) = (&single.adapter, &joint.adapter);
    let mut found = Vec::new();
    let mut compare = |what: &str, a: String, b: String| {
        if a != b {
            found.push(format!("{what} {a} and not {b}"));
        }
    };
    compare("method", a.method.name().into(), b.method.name().into());
    compare("shots", a.shots.to_string(), b.shots.to_string());
    compare("seed", a.seed.to_string(), b.seed.to_string());
    compare("epochs", a.epochs.to_string(), b.epochs.to_string());
    if found.is_empty() {
        return None;
    }
    Some(format!(
        "the single-task prompt of {} was tuned with {}",
        a.task,
        found.join(", ")
    ))
}
