//! `vlpt multitask`: one prompt for many tasks, and from it one for each.

mod adapt;
mod joint;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use vlpt_base::shell;
use vlpt_study::multitask::{SourcePrompt, train_source};
use vlpt_train::{Run, RunConfig, RunOptions, RunSummary, open_tasks_watched};

use crate::console::{Console, Unit};
use crate::error::CliError;
use crate::figures;
use crate::interrupt;
use crate::options::{CacheArgs, DataFlags, before_work, open_model};
use crate::tuning::TuneFlags;
use crate::watch::Watch;

/// The stages.
#[derive(Debug, Subcommand)]
pub(crate) enum MultitaskCommand {
    /// Tune one prompt on several tasks; the average over seeds if several are given
    Source(SourceArgs),
    /// Start from a prompt folder and tune on one task
    Adapt(adapt::AdaptArgs),
    /// Tune one prompt for a group of tasks, and show each beside its single-task result
    Joint(joint::JointArgs),
}

const SOURCE_HELP: &str = "\
The tasks are told apart by their names. A task that needs more than a path has a table in a file
for --config:

  tasks = [\"synthetic:shapes\", { path = \"photos\", split_seed = 1 }]

Given again, the command goes on where it was interrupted.

Example:
  vlpt multitask source --task synthetic:shapes --task synthetic:stripes --seeds 0,1,2 \\
      --out runs/source
  vlpt multitask adapt synthetic:textures --init-from runs/source --shots 5 --out runs/textures";

/// Flags that the commands over several tasks share.
#[derive(Debug, Args)]
pub(crate) struct TaskFlags {
    /// A data set: a folder, a manifest, or `synthetic:NAME`; may be given many times
    #[arg(long = "task", value_name = "DATA")]
    tasks: Vec<String>,
    #[command(flatten)]
    flags: DataFlags,
    /// Which classes an image is told apart from: `union`, `per-task`, or `zero-mask` as published code has it [default: union]
    #[arg(long, value_name = "SPACE")]
    label_space: Option<String>,
    /// How tasks are mixed: `proportional`, `uniform`, `temperature` or `one-task-per-batch` [default: proportional]
    #[arg(long, value_name = "MIX")]
    mix: Option<String>,
    /// Of the mix `temperature`: 1 is proportional, large is nearly uniform [default: 2]
    #[arg(long, value_name = "T")]
    temperature: Option<f64>,
    /// A prompt folder to start from; its method, options and model hold unless others are given
    #[arg(long, value_name = "FOLDER")]
    init_from: Option<PathBuf>,
    /// The folder to write
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
    #[command(flatten)]
    tune: TuneFlags,
    #[command(flatten)]
    cache: CacheArgs,
}

/// Flags of `vlpt multitask source`.
#[derive(Debug, Args)]
#[command(after_help = SOURCE_HELP)]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    tasks: TaskFlags,
    /// Seeds, one run each; their average becomes the prompt
    #[arg(
        long,
        value_name = "SEED,SEED",
        value_delimiter = ',',
        conflicts_with = "seed"
    )]
    seeds: Vec<u64>,
}

/// Runs the chosen stage.
pub(crate) fn run(command: &MultitaskCommand, console: &Console) -> Result<(), CliError> {
    interrupt::goes_on_when_given_again();
    match command {
        MultitaskCommand::Source(args) => source(args, console),
        MultitaskCommand::Adapt(args) => adapt::run(args, console),
        MultitaskCommand::Joint(args) => joint::run(args, console),
    }
}

impl TaskFlags {
    /// All layers in one configuration.
    fn resolve(&self) -> Result<RunConfig, CliError> {
        self.flags.check_several(self.tasks.len())?;
        if self.tasks.is_empty() {
            self.flags.refuse(
                "no --task names a data set that it would be about",
                "leave it out, or give a task of --config its own, as { path = \"FOLDER\", split_seed = 1 }",
            )?;
        }
        let mut settings = Vec::new();
        if !self.tasks.is_empty() {
            let list = self.tasks.iter().map(|task| self.flags.entry(task));
            let list: Vec<String> = list.collect();
            settings.push(format!("tasks=[{}]", list.join(", ")));
        }
        let mut set = |key: &str, value: Option<String>| {
            settings.extend(value.map(|v| format!("multitask.{key}={v}")));
        };
        set("label_space", self.label_space.clone());
        set("mix", self.mix.clone());
        set("temperature", self.temperature.map(|t| format!("{t:?}")));
        let config = self.tune.resolve(settings, self.init_from.as_deref())?;
        if config.tasks.is_empty() {
            return Err(CliError::usage(
                "no task is named",
                "name each with --task, such as `--task synthetic:shapes --task synthetic:stripes`",
            ));
        }
        Ok(config)
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            dir: self.out.clone(),
            cache: self.cache.folder(),
        }
    }
}

#[derive(Debug, Serialize)]
struct SourceDocument<'a> {
    prompt: &'a Path,
    tasks: Vec<String>,
    runs: Vec<RunRow<'a>>,
}

#[derive(Debug, Serialize)]
struct RunRow<'a> {
    run: &'a Path,
    selected_epoch: usize,
    validation: Option<f64>,
    already_finished: bool,
}

fn source(args: &SourceArgs, console: &Console) -> Result<(), CliError> {
    let config = args.tasks.resolve()?;
    let tasks = open_tasks_watched(&config, &console.bar(Unit::Items))?;
    before_work(&tasks, &args.tasks.out, &config.image.decoding(), console)?;
    let out = args.tasks.out.clone();
    let of_seed = |seed: &u64| args.tasks.out.join(format!("seed-{seed}"));
    let folders = std::iter::once(out).chain(args.seeds.iter().map(of_seed));
    let precision = Run::precision(&config, folders)?;
    let clip = open_model(&config.model, precision, console)?;
    let (options, watch) = (args.tasks.options(), Watch::new(console));
    let made = train_source(&config, &args.seeds, &options, &clip, &tasks, &watch)?;
    for run in &made.runs {
        let page = figures::run_report(&run.dir, run.selected_epoch, None)?;
        page.write(&run.dir.join("report.html"))?;
    }
    let document = SourceDocument {
        prompt: &made.prompt,
        tasks: tasks.iter().map(|task| task.name.clone()).collect(),
        runs: made.runs.iter().map(RunRow::of).collect(),
    };
    console.result(&document, || source_text(&made, &document.tasks))
}

impl<'a> RunRow<'a> {
    fn of(run: &'a RunSummary) -> Self {
        Self {
            run: &run.dir,
            selected_epoch: run.selected_epoch,
            validation: run.val,
            already_finished: run.already_finished,
        }
    }
}

fn source_text(made: &SourcePrompt, tasks: &[String]) -> String {
    let how = match &made.averaged {
        Some(averaged) => format!("the average of {} seeds", averaged.sources.len()),
        None => "one seed".to_owned(),
    };
    format!(
        "a prompt for {}, {how}\n{}\nnext: vlpt multitask adapt DATA --init-from {} --out FOLDER",
        tasks.join(", "),
        made.prompt.display(),
        shell::path(&made.prompt)
    )
}
