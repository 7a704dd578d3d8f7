//! `vlpt study plan`: from tasks and methods to jobs.

mod request;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_base::shell;
use vlpt_data::Task;
use vlpt_data::image::DecodeOptions;
use vlpt_methods::METHODS;
use vlpt_study::{Kind, Plan, StudyFile};
use vlpt_train::open_task_watched;

use crate::console::{Console, Unit, table};
use crate::error::CliError;
use crate::invocation;
use crate::options::{DataFlags, TowerArgs, before_work};
use crate::watch::Watch;

const AFTER_HELP: &str = "\
A study trains a prompt on every source task and evaluates it on every target task as it is
(zero-shot transfer). It can also go on from there:
  --adapted      start from each source's prompt, tune on each target
  --co-training  tune on each pair of tasks together
  --groups       tune one prompt for each group of targets
Everything is compared with the same method trained on the target alone, and with zero-shot CLIP.

`synthetic:all` stands for all tasks that the program draws itself. A task that needs more than a
path has a table in a file for --tasks:

  tasks = [\"synthetic:shapes\", { path = \"photos\", split_seed = 1 }]

A plan can be written over: results of jobs that are also in the new plan stay good.

Example:
  vlpt study plan --task synthetic:all --method coop,vpt --shots 16 --seeds 0,1,2 --out study
  vlpt study run study
  vlpt study merge study";

/// Flags of `vlpt study plan`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct PlanArgs {
    /// A task to transfer from and to: a folder, a manifest, `synthetic:NAME` or `synthetic:all`; may be given many times
    #[arg(long = "task", value_name = "DATA")]
    tasks: Vec<String>,
    /// A TOML file with more tasks: `tasks = [...]`
    #[arg(long = "tasks", value_name = "FILE")]
    file: Option<PathBuf>,
    /// A task to transfer from only
    #[arg(long = "source", value_name = "DATA")]
    sources: Vec<String>,
    /// A task to transfer to only
    #[arg(long = "target", value_name = "DATA")]
    targets: Vec<String>,
    #[command(flatten)]
    flags: DataFlags,
    #[command(flatten)]
    model: TowerArgs,
    /// Prompt methods to compare
    #[arg(
        long,
        value_name = "NAME,NAME",
        value_delimiter = ',',
        default_value = METHODS[0].name
    )]
    method: Vec<String>,
    /// Training images of each class; several numbers make several studies in one
    #[arg(long, value_name = "K,K", value_delimiter = ',', default_value = "16")]
    shots: Vec<usize>,
    /// Seeds; intervals need several
    #[arg(
        long,
        value_name = "SEED,SEED",
        value_delimiter = ',',
        default_value = "0"
    )]
    seeds: Vec<u64>,
    /// Also tune every source's prompt on every target
    #[arg(long)]
    adapted: bool,
    /// Training images of each class of the target [default: as --shots]
    #[arg(long, value_name = "K,K", value_delimiter = ',', requires = "adapted")]
    adapt_shots: Vec<usize>,
    /// Seeds of that [default: as --seeds]
    #[arg(
        long,
        value_name = "SEED,SEED",
        value_delimiter = ',',
        requires = "adapted"
    )]
    adapt_seeds: Vec<u64>,
    /// Start from the average of the source's prompts over --seeds, not from the one of the same seed
    #[arg(long, requires = "adapted")]
    average_sources: bool,
    /// Also tune on every pair of tasks together
    #[arg(long)]
    co_training: bool,
    /// Seeds of that [default: as --seeds]
    #[arg(
        long,
        value_name = "SEED,SEED",
        value_delimiter = ',',
        requires = "co_training"
    )]
    co_seeds: Vec<u64>,
    /// Also tune one prompt for each group in this file: names of targets with commas between, a group a line
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Evaluate on at most so many test images of each task, each class by its share, the same for every job
    #[arg(long, value_name = "N")]
    test_images: Option<usize>,
    /// A recipe for all methods, or METHOD=NAME for one; `vlpt train --list-recipes` prints them
    #[arg(long, value_name = "NAME")]
    recipe: Vec<String>,
    /// Settings of all methods from a TOML file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Change a setting of all methods, or METHOD:KEY=VALUE of one; may be given many times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The study's folder
    #[arg(long, short, value_name = "FOLDER")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    #[serde(rename = "units")]
    jobs: usize,
    kinds: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    kind: &'static str,
    method: String,
    #[serde(rename = "units")]
    jobs: usize,
}

/// Plans and says what there is to do.
pub(crate) fn run(args: &PlanArgs, console: &Console) -> Result<(), CliError> {
    let mut request = args.request()?;
    let mut tasks = Vec::new();
    for data in request.sources.iter().chain(&request.targets) {
        if !tasks.iter().any(|(known, _)| *known == data) {
            tasks.push((data, open_task_watched(data, &console.bar(Unit::Items))?));
        }
    }
    let tasks: Vec<Task> = tasks.into_iter().map(|(_, task)| task).collect();
    before_work(&tasks, &args.out, &DecodeOptions::default(), console)?;
    let clip = args.model.open(console)?;
    request.methods = args.methods()?;
    let watch = Watch::new(console);
    let file = StudyFile {
        commands: vec![invocation::command()],
        study: request.config(&clip, &watch)?,
    };
    let plan = file.write(&args.out)?;
    report(&args.out, &plan, console)
}

/// Says what a plan holds.
pub(super) fn report(folder: &Path, plan: &Plan, console: &Console) -> Result<(), CliError> {
    let mut counts: BTreeMap<(Kind, &str), usize> = BTreeMap::new();
    for job in plan.jobs() {
        *counts.entry((job.kind, &job.method)).or_default() += 1;
    }
    let rows = counts.into_iter().map(|((kind, method), jobs)| Row {
        kind: kind.name(),
        method: method.to_owned(),
        jobs,
    });
    let document = Document {
        folder,
        jobs: plan.jobs().len(),
        kinds: rows.collect(),
    };
    console.result(&document, || {
        let rows: Vec<Vec<String>> = document
            .kinds
            .iter()
            .map(|row| {
                vec![
                    row.kind.to_owned(),
                    row.method.clone(),
                    row.jobs.to_string(),
                ]
            })
            .collect();
        format!(
            "{} jobs\n\n{}\n\nnext: vlpt study run {}",
            document.jobs,
            table(&["kind", "method", "jobs"], &rows),
            shell::path(folder)
        )
    })
}
