//! The tasks together: one prompt learned on some of them, from which others start, and a study of
//! which task helps which.

use std::path::PathBuf;

use serde::Serialize;
use vlpt_adapter::PromptFolder;
use vlpt_base::files::write_atomic;
use vlpt_clip::{Clip, ModelFiles};
use vlpt_report::study::TransferMap;
use vlpt_study::merge::{Merged, TransferMatrix};
use vlpt_study::multitask::{train_adapted, train_source};
use vlpt_study::stats::{Summary, summary};
use vlpt_study::{MethodRequest, RunLimits, StudyFile, StudyRequest, TrainExecutor, Transfer};
use vlpt_train::{DataConfig, RunOptions, open_task, open_tasks};

use super::DemoArgs;
use super::settings::{SCRATCH, SETTINGS, method};
use crate::commands::study::merge::merge_to_page;
use crate::commands::study::page::maps;
use crate::commands::study::work::{do_jobs, finished};
use crate::console::Console;
use crate::error::CliError;
use crate::watch::Watch;

/// Of intervals over seeds.
const LEVEL: f64 = 0.95;

/// What tasks do for each other.
#[derive(Debug, Serialize)]
pub(super) struct Together {
    /// The tasks that the source prompt was learned on.
    pub(super) sources: Vec<String>,
    /// The others.
    pub(super) targets: Vec<Target>,
    /// Training images of each class of a target.
    pub(super) shots: u16,
    /// Seeds of the targets' runs.
    pub(super) seeds: Vec<u64>,
    /// Every task by every task.
    pub(super) matrix: Scores,
    /// The page of the study.
    pub(super) study: PathBuf,
    /// The same as a figure.
    #[serde(skip)]
    pub(super) map: Option<TransferMap>,
}

/// A task beside the source prompt; shares from 0 to 1.
#[derive(Debug, Serialize)]
pub(super) struct Target {
    pub(super) task: String,
    pub(super) zero_shot: f64,
    /// The source prompt as it is.
    pub(super) source: f64,
    /// Tuned from scratch, over the seeds.
    pub(super) scratch: Summary,
    /// Tuned from the source prompt.
    pub(super) adapted: Summary,
    /// What the source prompt adds, seed by seed.
    pub(super) gain: Summary,
}

/// Mean accuracy over the seeds of a prompt learned on the task of the row, on that of the column.
#[derive(Debug, Serialize)]
pub(super) struct Scores {
    pub(super) tasks: Vec<String>,
    /// Training images of each class.
    pub(super) shots: u16,
    pub(super) seeds: Vec<u64>,
    pub(super) rows: Vec<Vec<Option<f64>>>,
    /// Pairs of different tasks.
    pub(super) pairs: usize,
    /// Those that score above zero-shot CLIP.
    pub(super) over_zero_shot: usize,
    /// Those that score above the target's own prompt.
    pub(super) over_own: usize,
}

/// The part of the demo over several tasks; nothing for one alone.
pub(super) fn together(
    args: &DemoArgs,
    clip: &Clip,
    names: &[String],
    console: &Console,
) -> Result<Option<Together>, CliError> {
    if names.len() < 2 {
        return Ok(None);
    }
    let (sources, _) = parted(names);
    write_atomic(&args.tasks_file(), args.task_list(names).as_bytes())?;
    write_atomic(&args.sources_file(), args.task_list(sources).as_bytes())?;
    let targets = targets(args, clip, names, console)?;
    let merged = study(args, clip, names, console)?;
    let matrix = merged.matrices.first();
    let matrix = matrix.ok_or_else(|| CliError::failure("the study has no matrix"))?;
    Ok(Some(Together {
        sources: sources.to_vec(),
        targets,
        shots: args.few(),
        seeds: args.seeds(),
        matrix: Scores::of(args, matrix),
        study: args.study().join("merged").join("report.html"),
        map: maps::map(matrix, &merged),
    }))
}

/// Tasks of the source prompt, and those that start from it: a third, at least one.
pub(super) fn parted(names: &[String]) -> (&[String], &[String]) {
    names.split_at(names.len() - (names.len() / 3).max(1))
}

/// Learns the source prompt and starts the other tasks from it.
fn targets(
    args: &DemoArgs,
    clip: &Clip,
    names: &[String],
    console: &Console,
) -> Result<Vec<Target>, CliError> {
    let (sources, others) = parted(names);
    let watch = Watch::new(console);
    let config = args.source_config()?;
    let mut options = RunOptions {
        dir: args.source(sources),
        cache: Some(args.cache()),
    };
    let tasks = open_tasks(&config)?;
    let made = train_source(&config, &[], &options, clip, &tasks, &watch)?;
    let source = PromptFolder::open(&made.prompt)?;
    let mut targets = Vec::new();
    for name in others {
        let task = open_task(&args.data(name))?;
        let mut seeds = Vec::new();
        for seed in args.seeds() {
            let run = format!("adapted-{name}-{}shots-seed{seed}", args.few());
            options.dir = args.source(sources).join(run);
            let config = args.target_config(&source, name, seed, &[])?;
            let scratch = args.target_config(&source, name, seed, &SCRATCH)?;
            let made = train_adapted(&config, &scratch, &options, clip, &task, &watch)?;
            seeds.push(made.values);
        }
        let over = |of: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = (0..seeds.len()).map(of).collect();
            summary(&values, LEVEL).ok_or_else(|| CliError::failure("a score is not a number"))
        };
        targets.push(Target {
            task: name.clone(),
            zero_shot: seeds[0].zero_shot,
            source: seeds[0].source,
            scratch: over(&|k| seeds[k].scratch)?,
            adapted: over(&|k| seeds[k].adapted)?,
            gain: over(&|k| seeds[k].adapted - seeds[k].scratch)?,
        });
    }
    Ok(targets)
}

/// A prompt of each task on each task.
fn study(
    args: &DemoArgs,
    clip: &Clip,
    names: &[String],
    console: &Console,
) -> Result<Merged, CliError> {
    let data: Vec<DataConfig> = names.iter().map(|name| args.data(name)).collect();
    let request = StudyRequest {
        model: "mini-clip".to_owned(),
        sources: data.clone(),
        targets: data,
        methods: vec![MethodRequest {
            method: method().name.to_owned(),
            settings: SETTINGS.map(str::to_owned).to_vec(),
            ..MethodRequest::default()
        }],
        zero_shot_clip: true,
        zero_shot: Some(Transfer {
            shots: vec![args.studied().into()],
            seeds: args.study_seeds(),
        }),
        ..StudyRequest::default()
    };
    let (threads, watch) = (rayon::current_num_threads(), Watch::new(console));
    // the workers own the model they use
    let mini = || Clip::load_as(&ModelFiles::mini(), clip.precision);
    let file = StudyFile {
        commands: vec![args.plan_command()],
        study: request.config(clip, &watch)?,
    };
    let plan = file.write(&args.study())?;
    let limits = RunLimits {
        threads,
        jobs: Some(threads),
        ..RunLimits::default()
    };
    let executor = TrainExecutor::new(mini()?, 1, 0).with_cache(args.cache());
    let report = do_jobs(&args.study(), &plan, &executor, &limits, console)?;
    finished(&args.study(), &report)?;
    let executor = TrainExecutor::new(mini()?, threads, 0).with_cache(args.cache());
    Ok(merge_to_page(&args.study(), false, Some(&executor), &watch)?.0)
}

impl Scores {
    fn of(args: &DemoArgs, matrix: &TransferMatrix) -> Self {
        let tasks = matrix.score.rows().to_vec();
        let places = 0..tasks.len();
        let count = |gain: &vlpt_study::TaskMatrix| {
            let pairs = places
                .clone()
                .flat_map(|i| places.clone().map(move |j| (i, j)));
            let gains = pairs.filter(|(i, j)| i != j);
            gains
                .filter(|&(i, j)| gain.get(i, j).is_some_and(|gain| gain > 0.0))
                .count()
        };
        Self {
            shots: args.studied(),
            seeds: args.study_seeds(),
            pairs: tasks.len() * (tasks.len() - 1),
            over_zero_shot: count(&matrix.gain_over_clip),
            over_own: count(&matrix.gain),
            rows: places
                .clone()
                .map(|i| places.clone().map(|j| matrix.score.get(i, j)).collect())
                .collect(),
            tasks,
        }
    }
}
