//! One prompt for several tasks: a training for each seed, and their average.

use std::path::PathBuf;

use vlpt_adapter::{Averaged, average_prompts_to};
use vlpt_clip::Clip;
use vlpt_data::Task;
use vlpt_train::TrainObserver;
use vlpt_train::{RunConfig, RunOptions, RunSummary, TrainError};

use crate::Result;
use crate::executor::{ConstantTexts, Experiment};

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
/// As [`Run::start_or_resume`](vlpt_train::Run::start_or_resume) and [`average_prompts`](vlpt_adapter::average_prompts); a seed given
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
        return Err(TrainError::Incompatible {
            what: format!("the seed {seed} is given twice"),
            hint: Some("it would weigh double in the average; give each seed once".to_owned()),
        }
        .into());
    }
    let texts = ConstantTexts::default();
    let experiment = Experiment {
        clip,
        texts: &texts,
        observer,
    };
    let one = |seed: u64, dir: PathBuf| {
        let mut config = config.clone();
        config.seed = seed;
        let cache = options.cache.clone();
        experiment.train(&config, &RunOptions { dir, cache }, tasks)
    };
    let prompt = options.dir.join("prompt");
    if seeds.len() < 2 {
        if prompt.exists() && !options.dir.join("config.toml").exists() {
            return Err(TrainError::Incompatible {
                what: format!("{}: holds a prompt and no run", options.dir.display()),
                hint: Some(
                    "an average of several seeds is there; choose another folder".to_owned(),
                ),
            }
            .into());
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
        }
        .into());
    }
    let runs = seeds
        .iter()
        .map(|&seed| one(seed, options.dir.join(format!("seed-{seed}"))))
        .collect::<vlpt_train::Result<Vec<_>>>()?;
    let folders: Vec<PathBuf> = runs.iter().map(|run| run.prompt.clone()).collect();
    let averaged = average_prompts_to(&folders, clip, &prompt)?;
    Ok(SourcePrompt {
        prompt,
        runs,
        averaged: Some(averaged),
    })
}
