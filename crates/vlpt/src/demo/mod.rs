//! `vlpt demo`: the whole way on tasks that the program draws itself, offline.

mod alone;
mod page;
mod printed;
mod settings;
mod summary;
mod together;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use vlpt_clip::{Clip, ModelFiles};
use vlpt_data::synthetic;
use vlpt_train::{Run, RunConfig};

use crate::console::Console;
use crate::error::CliError;
use crate::interrupt;
use crate::options::PrecisionArgs;
use alone::one_task;
use printed::Measured;
use together::together;

/// Flags of `vlpt demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder for the report and the run folders
    #[arg(long, short, value_name = "FOLDER", default_value = "vlpt-demo")]
    out: PathBuf,
    /// Seed of the synthetic images, the subsets, the initial values and the order; 0 is one too
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Training images of each class, at most 32
    #[arg(long, value_name = "K", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=32))]
    shots: u16,
    /// Which tasks, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    tasks: Vec<String>,
    #[command(flatten)]
    precision: PrecisionArgs,
}

/// Tunes a prompt on each task, compares it with zero-shot, lets the tasks help each other, prints
/// tables and writes a report.
pub(crate) fn run(args: &DemoArgs, console: &Console) -> Result<(), CliError> {
    interrupt::goes_on_when_given_again();
    let began = Instant::now();
    let names = args.names();
    // A wrong name should not wait for the tasks before it.
    let tasks = names
        .iter()
        .map(|name| synthetic::task(name, args.seed))
        .collect::<Result<Vec<_>, _>>()?;
    let mut config = RunConfig::default();
    config.compute.precision = args.precision.setting();
    let folders = names.iter().map(|name| args.folder(name));
    let clip = Clip::load_as(&ModelFiles::mini(), Run::precision(&config, folders)?)?;
    let mut sections = Vec::new();
    for task in tasks {
        sections.push(one_task(args, &clip, task, console)?);
    }
    let together = together(args, &clip, &names, console)?;
    let path = args.out.join("report.html");
    let measured = Measured::of(&sections, together, path);
    let report = args.report(&clip, sections, measured.together.as_ref());
    report
        .write(&measured.report)
        .map_err(|e| CliError::failure(e.to_string()))?;
    console.say(format!(
        "done in {:.0} seconds",
        began.elapsed().as_secs_f64()
    ));
    console.result(&measured, || measured.text())
}

impl DemoArgs {
    /// The tasks asked for, each once.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in self
            .tasks
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
        {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() {
            names = synthetic::names()
                .iter()
                .map(|&name| name.to_owned())
                .collect();
        }
        names
    }

    /// The run folder of a task; other options have another folder, equal ones share it.
    fn folder(&self, task: &str) -> PathBuf {
        let (shots, seed) = (self.shots, self.seed);
        self.out
            .join("runs")
            .join(format!("{task}-{shots}shots-seed{seed}"))
    }

    /// Features of images, which all parts of the demo share.
    fn cache(&self) -> PathBuf {
        self.out.join("cache")
    }

    fn config(&self, task: &str) -> Result<RunConfig, CliError> {
        let mut settings = settings::alone();
        settings.push(format!("data.path=synthetic:{task}"));
        settings.push(format!("data.split_seed={}", self.seed));
        settings.push(format!("seed={}", self.seed));
        settings.push(format!("few_shot.shots={}", self.shots));
        Ok(vlpt_train::load(None, None, &settings)?)
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
