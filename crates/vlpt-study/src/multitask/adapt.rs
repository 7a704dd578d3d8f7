//! A task tuned from a source prompt, beside the same training from the method's own start.

use std::path::Path;

use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_base::files::write_atomic;
use vlpt_clip::Clip;
use vlpt_data::{Metric, Task};
use vlpt_train::TrainObserver;
use vlpt_train::{RunConfig, RunOptions, RunSummary, TrainError};

use super::judge::Judge;
use crate::Result;
use crate::executor::{ConstantTexts, Experiment};

/// What a source prompt does for a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Adapted {
    /// The run that starts from the source prompt.
    pub run: RunSummary,
    /// The run that starts from scratch, in the folder `scratch` of the other.
    pub scratch_run: RunSummary,
    /// What came out.
    pub values: AdaptedValues,
}

/// Values of a task's metric on its test images, among its own classes, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdaptedValues {
    /// The task.
    pub task: String,
    /// Its metric.
    pub metric: Metric,
    /// Number of test images.
    pub images: usize,
    /// Without any tuning, with the task's own templates.
    pub zero_shot: f64,
    /// With the source prompt as it is.
    pub source: f64,
    /// Tuned from the method's own start.
    pub scratch: f64,
    /// Tuned from the source prompt.
    pub adapted: f64,
}

/// Tunes `task`, that of the configuration, from the prompt `init_from` and once more from scratch, and
/// evaluates both beside the source prompt as it is. The run from scratch is that of `scratch`, whose
/// `init_from` plays no part: the same configuration, or one that differs where a random start wants another,
/// such as its learning rate.
/// `options.dir` becomes the adapted run, its `scratch` the other; the values are in its
/// `adapted.json` too.
///
/// # Errors
/// As [`Run::start_or_resume`](vlpt_train::Run::start_or_resume) and [`evaluate`](vlpt_adapter::evaluate()); a
/// configuration without `init_from`.
pub fn train_adapted(
    config: &RunConfig,
    scratch: &RunConfig,
    options: &RunOptions,
    clip: &Clip,
    task: &Task,
    observer: &dyn TrainObserver,
) -> Result<Adapted> {
    if config.init_from.is_empty() {
        return Err(TrainError::Incompatible {
            what: "no prompt to start from is named".to_owned(),
            hint: Some("name its folder with `init_from`".to_owned()),
        }
        .into());
    }
    let source = PromptFolder::open(Path::new(&config.init_from))?;
    let texts = ConstantTexts::default();
    let experiment = Experiment {
        clip,
        texts: &texts,
        observer,
    };
    let own = std::slice::from_ref(task);
    let adapted = experiment.train(config, options, own)?;
    let mut alone = scratch.clone();
    alone.init_from.clear();
    let beside = RunOptions {
        dir: options.dir.join("scratch"),
        cache: options.cache.clone(),
    };
    let scratch = experiment.train(&alone, &beside, own)?;
    let judge = Judge::new(&experiment, task, options)?;
    let folder = PromptFolder::open(&adapted.prompt)?;
    let tuned = judge.prompt(&folder)?;
    let from_scratch = PromptFolder::open(&scratch.prompt)?;
    let values = AdaptedValues {
        task: task.name.clone(),
        metric: task.metric,
        images: tuned.images,
        zero_shot: judge.zero_shot(&folder.adapter.preprocess)?.value,
        source: judge.prompt(&source)?.value,
        scratch: judge.prompt(&from_scratch)?.value,
        adapted: tuned.value,
    };
    let text = serde_json::to_string_pretty(&values).map_err(std::io::Error::other)?;
    let path = options.dir.join("adapted.json");
    write_atomic(&path, format!("{text}\n").as_bytes())?;
    Ok(Adapted {
        run: adapted,
        scratch_run: scratch,
        values,
    })
}
