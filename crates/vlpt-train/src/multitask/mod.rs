//! The two stages of multitask prompt tuning, over the one trainer: [`train_source`] tunes one
//! prompt on several tasks, over several seeds if asked; [`train_jointly`] tunes one for a group
//! and compares each member with its own single-task prompt. Adapting a prompt to a task is a
//! plain [`Run`] with `init_from`; [`train_adapted`] does it beside the same run from scratch.
//!
//! All go on where they were interrupted, and do nothing that is done.

mod adapt;
mod joint;
mod judge;

use std::path::{Path, PathBuf};

use fs_err as fs;
use vlpt_clip::Clip;
use vlpt_data::Task;

use crate::{
    Result, Run, RunConfig, RunOptions, RunSummary, TrainError, TrainObserver, TrainingData,
};
use vlpt_adapter::Averaged;
use vlpt_adapter::average_to;

pub use adapt::{Adapted, AdaptedValues, train_adapted};
pub use joint::{Joint, JointMember, Singles, train_jointly};

/// A prompt tuned on several tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct SourcePrompt {
    /// The prompt folder.
    pub prompt: PathBuf,
    /// The runs it comes from, one a seed.
    pub runs: Vec<RunSummary>,
    /// What the prompts of several seeds had in common.
    pub averaged: Option<Averaged>,
}

/// Tunes a prompt on `tasks` with each of `seeds` (none: the configuration's own).
///
/// One seed makes a run of `options.dir`. Several make the runs `options.dir/seed-N`, and their
/// average in `options.dir/prompt`. Subsets are drawn with each run's seed, unless the
/// configuration fixes `few_shot.seed`. The tasks are those of the configuration, opened.
///
/// # Errors
/// As [`Run::start_or_resume`] and [`average_prompts`](vlpt_adapter::average_prompts); a seed given
/// twice.
pub fn train_source(
    config: &RunConfig,
    seeds: &[u64],
    options: &RunOptions,
    clip: &Clip,
    tasks: &[Task],
    observer: &dyn TrainObserver,
) -> Result<SourcePrompt> {
    if let Some((_, seed)) = seeds
        .iter()
        .enumerate()
        .find(|(i, s)| seeds[..*i].contains(s))
    {
        return Err(TrainError::Unfit {
            what: format!("the seed {seed} is given twice"),
            hint: Some("it would weigh double in the average; give each seed once".to_owned()),
        });
    }
    let one = |seed: u64, dir: PathBuf| {
        let mut config = config.clone();
        config.seed = seed;
        run(&config, &dir, options, clip, tasks, observer)
    };
    let prompt = options.dir.join("prompt");
    if seeds.len() < 2 {
        if prompt.exists() && !options.dir.join("config.toml").exists() {
            return Err(TrainError::Unfit {
                what: format!("{}: holds a prompt and no run", options.dir.display()),
                hint: Some(
                    "an average of several seeds is there; choose another folder".to_owned(),
                ),
            });
        }
        let seed = seeds.first().copied().unwrap_or(config.seed);
        return Ok(SourcePrompt {
            prompt,
            runs: vec![one(seed, options.dir.clone())?],
            averaged: None,
        });
    }
    if options.dir.join("config.toml").exists() {
        return Err(TrainError::RunExists {
            dir: options.dir.clone(),
        });
    }
    let runs = seeds
        .iter()
        .map(|&seed| one(seed, options.dir.join(format!("seed-{seed}"))))
        .collect::<Result<Vec<_>>>()?;
    let folders: Vec<PathBuf> = runs.iter().map(|run| run.prompt.clone()).collect();
    let averaged = average_to(&folders, clip, &prompt)?;
    Ok(SourcePrompt {
        prompt,
        runs,
        averaged: Some(averaged),
    })
}

/// Starts a run on open tasks, or goes on with it.
fn run(
    config: &RunConfig,
    dir: &Path,
    options: &RunOptions,
    clip: &Clip,
    tasks: &[Task],
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    let data = TrainingData::of_tasks(tasks, config)?;
    let options = RunOptions {
        dir: dir.to_owned(),
        cache: options.cache.clone(),
    };
    if dir.join("config.toml").exists() {
        return Run::resume_with(Some(config), &options, clip, &data, observer);
    }
    if let Some(parent) = dir.parent() {
        fs::create_dir_all(parent)?;
    }
    Run::start_with(config, &options, clip, &data, observer)
}
