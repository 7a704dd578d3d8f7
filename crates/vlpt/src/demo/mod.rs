//! `vlpt demo`: the whole way on the photos that the program has with it and on tasks that it draws itself, offline.

mod alone;
mod page;
mod printed;
mod settings;
mod summary;
mod together;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use clap::builder::PossibleValuesParser;
use vlpt_clip::{Clip, ModelFiles};
use vlpt_data::{Task, photos, synthetic};
use vlpt_train::{DataConfig, Run, RunConfig, open_task};

use crate::console::Console;
use crate::error::CliError;
use crate::interrupt;
use crate::options::PrecisionArgs;
use alone::one_task;
use printed::Measured;
use together::together;

/// The task of real photos.
const PHOTOS: &str = "photos";

/// Flags of `vlpt demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder for the report, the photos and the run folders
    #[arg(long, short, value_name = "FOLDER", default_value = "vlpt-demo")]
    out: PathBuf,
    /// Seed of the synthetic images, the subsets, the initial values and the order; 0 is one too
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// Training images of each class, at most 32; there are 16 photos of each
    #[arg(long, value_name = "K", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..=32))]
    shots: u16,
    /// Which tasks, separated by commas [default: all]
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = PossibleValuesParser::new(all_tasks()))]
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
    let mut config = RunConfig::default();
    config.compute.precision = args.precision.setting();
    let folders = names.iter().map(|name| args.folder(name));
    let clip = Clip::load_as(&ModelFiles::mini(), Run::precision(&config, folders)?)?;
    let mut sections = Vec::new();
    for name in &names {
        sections.push(one_task(args, &clip, args.open(name)?, console)?);
    }
    let drawn: Vec<String> = names.into_iter().filter(|name| name != PHOTOS).collect();
    let together = together(args, &clip, &drawn, console)?;
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
        if self.tasks.is_empty() {
            return all_tasks().map(str::to_owned).collect();
        }
        let mut names: Vec<String> = Vec::new();
        for name in &self.tasks {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }

    /// Where the images of a task are.
    fn path(&self, task: &str) -> String {
        match task {
            PHOTOS => self.out.join(PHOTOS).display().to_string(),
            drawn => format!("{}{drawn}", synthetic::PREFIX),
        }
    }

    fn data(&self, task: &str) -> DataConfig {
        DataConfig {
            path: self.path(task),
            // the photos are split already, which a seed would contradict
            split_seed: if task == PHOTOS { 0 } else { self.seed },
            ..DataConfig::default()
        }
    }

    /// A task as the commands take it.
    fn words(&self, task: &str) -> String {
        match self.data(task) {
            data if task == PHOTOS => data.path,
            data => format!("{} --split-seed {}", data.path, data.split_seed),
        }
    }

    fn open(&self, task: &str) -> Result<Task, CliError> {
        if task == PHOTOS {
            photos::write(&self.out.join(PHOTOS))?;
        }
        Ok(open_task(&self.data(task))?)
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
        settings.push(format!("seed={}", self.seed));
        settings.push(format!("few_shot.shots={}", self.shots));
        let mut config = vlpt_train::load(None, None, &settings)?;
        config.data = self.data(task);
        Ok(config)
    }
}

/// The names of all tasks, the photos first.
fn all_tasks() -> impl Iterator<Item = &'static str> {
    std::iter::once(PHOTOS).chain(synthetic::names().iter().copied())
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}
