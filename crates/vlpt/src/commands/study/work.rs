//! `vlpt study run`: a worker.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use vlpt_base::shell;
use vlpt_study::{CommonSettings, Event, Kind, Plan, RunLimits, RunReport, Shard, TrainExecutor};

use super::{bytes, time};
use crate::console::{Bar, Console, Unit};
use crate::error::CliError;
use crate::interrupt::{self, Gently};
use crate::options::open_model;

const AFTER_HELP: &str = "\
Several workers may run on one folder at a time, also on several machines that share it: a job is
claimed first, and the claim of a worker that is killed is free at once. A killed training goes on
from its last checkpoint. Results are the same whoever did what.

With --shard a worker does a part of the jobs. Without, the part is found in the variables of
Slurm, Kubernetes indexed jobs, torchrun, PBS and AWS Batch; where there are none, it does all.

The worker ends with an error unless its whole part is done.";

/// Flags of `vlpt study run`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct RunArgs {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    dir: PathBuf,
    /// Do part INDEX of COUNT, such as 0/4
    #[arg(long, value_name = "INDEX/COUNT")]
    shard: Option<Shard>,
    /// Only jobs of these kinds and what they need: zero-shot, train, single, co-train, adapt, joint
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',', value_parser = kind)]
    kinds: Vec<Kind>,
    /// Memory of all jobs that run at a time, such as 8G [default: not watched]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    memory: Option<u64>,
    /// Jobs at a time; threads are shared out among them [default: one for each thread]
    #[arg(long, short, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Memory for decoded test images, for methods with visual prompts
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "1G")]
    pixels: u64,
    /// Try jobs again that failed before
    #[arg(long)]
    retry: bool,
    /// End when all that is left is in the hands of other workers, instead of waiting for them
    #[arg(long)]
    no_wait: bool,
    /// Find the base model under this name instead of the one in the plan
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct Document {
    #[serde(rename = "units")]
    jobs: usize,
    ran: usize,
    done_before_or_elsewhere: usize,
    failed: usize,
    blocked: usize,
    too_large: usize,
    left: usize,
    seconds: f64,
}

/// Works and says how it stands.
pub(crate) fn run(args: &RunArgs, console: &Console) -> Result<(), CliError> {
    let shard = match args.shard {
        Some(shard) => shard,
        None => Shard::from_environment(|name| std::env::var(name).ok())?.unwrap_or(Shard::WHOLE),
    };
    let plan = Plan::read(&args.dir)?;
    let threads = rayon::current_num_threads();
    let jobs = args.jobs.map_or(threads, std::num::NonZeroUsize::get);
    let executor = open_executor(
        &plan,
        args.model.as_deref(),
        (threads / jobs).max(1),
        args.pixels as usize,
        console,
    )?;
    let limits = RunLimits {
        threads,
        memory: args.memory,
        jobs: Some(jobs),
        shard,
        kinds: args.kinds.clone(),
        retry: args.retry,
        wait: !args.no_wait,
    };
    let began = Instant::now();
    if shard != Shard::WHOLE {
        console.say(format!("part {shard} of the jobs"));
    }
    interrupt::goes_on_when_given_again();
    let gently = Gently::begin();
    let report = do_jobs(&args.dir, &plan, &executor, &limits, console)?;
    drop(gently);
    let seconds = began.elapsed().as_secs_f64();
    let document = Document::of(&report, seconds);
    console.result(&document, || document.text(args, report.complete()))?;
    finished(&args.dir, &report)
}

/// Does what is missing, and shows it.
pub(crate) fn do_jobs(
    dir: &Path,
    plan: &Plan,
    executor: &TrainExecutor,
    limits: &RunLimits,
    console: &Console,
) -> Result<RunReport, CliError> {
    let watch = Progress {
        console,
        bar: console.bar(Unit::Items),
        lines: !std::io::stderr().is_terminal(),
    };
    watch.bar.begin("jobs", plan.jobs().len() as u64);
    let mut show = |event: Event<'_>| watch.show(&event);
    let report = vlpt_study::run(dir, executor, limits, interrupt::stop(), &mut show)?;
    watch.bar.end();
    Ok(report)
}

/// What does a plan's jobs: the trainer, on the plan's model.
pub(super) fn open_executor(
    plan: &Plan,
    model: Option<&str>,
    threads: usize,
    pixels: usize,
    console: &Console,
) -> Result<TrainExecutor, CliError> {
    let settings = plan.jobs().first().map(|job| job.settings.clone());
    let common: CommonSettings = serde_json::from_value(settings.unwrap_or_default())
        .map_err(|e| CliError::failure(format!("plan.jsonl: settings of the first job: {e}")))?;
    let clip = open_model(model.unwrap_or(&common.model), common.precision, console)?;
    if clip.fingerprint != common.model_fingerprint {
        let short = |text: &str| text.chars().take(12).collect::<String>();
        return Err(CliError::usage(
            format!(
                "the study was planned for {} ({}), but {} is another model ({})",
                common.model,
                short(&common.model_fingerprint),
                clip.name,
                short(&clip.fingerprint)
            ),
            "name the same model, or plan the study again for this one",
        ));
    }
    Ok(TrainExecutor::new(clip, threads, pixels))
}

/// Shows what happens.
struct Progress<'a> {
    console: &'a Console,
    bar: Bar,
    /// A line for each job: standard error is a file.
    lines: bool,
}

impl Progress<'_> {
    fn show(&self, event: &Event<'_>) {
        match event {
            Event::Started { job, .. } => self.bar.note(&job.title()),
            Event::Finished {
                job,
                took,
                done,
                all,
                ..
            } => {
                self.bar.reach(*done as u64);
                if self.lines {
                    let took = took.as_secs_f64();
                    self.console
                        .say(format!("{done}/{all}  {}  {took:.1} s", job.title()));
                }
            }
            Event::Failed { job, message, .. } => {
                self.console
                    .say(format!("failed: {}: {message}", job.title()));
            }
            Event::Waiting { jobs } => {
                self.console
                    .say(format!("waiting for {jobs} jobs of other workers"));
            }
        }
    }
}

impl Document {
    fn of(report: &RunReport, seconds: f64) -> Self {
        Self {
            jobs: report.all,
            ran: report.ran.len(),
            done_before_or_elsewhere: report.done_elsewhere,
            failed: report.failed.len(),
            blocked: report.blocked.len(),
            too_large: report.too_large.len(),
            left: report.left.len(),
            seconds,
        }
    }

    fn text(&self, args: &RunArgs, complete: bool) -> String {
        let mut text = format!(
            "{} of {} jobs done, {} of them now, in {}",
            self.ran + self.done_before_or_elsewhere,
            self.jobs,
            self.ran,
            time(self.seconds)
        );
        if complete {
            text += &format!("\nnext: vlpt study merge {}", shell::path(&args.dir));
        }
        text
    }
}

/// An error unless every job has a result.
pub(crate) fn finished(dir: &Path, report: &RunReport) -> Result<(), CliError> {
    if report.complete() {
        return Ok(());
    }
    let left = if interrupt::stop().load(Ordering::SeqCst) {
        "are left"
    } else {
        "are left to other workers"
    };
    let parts = [
        (report.failed.len(), "failed"),
        (report.blocked.len(), "need one that failed"),
        (report.too_large.len(), "need more memory than --memory"),
        (report.left.len(), left),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    let dir = dir.display();
    Err(CliError::Unfinished {
        message: format!(
            "the study is not complete: of {} jobs {}",
            report.all,
            parts.join(", ")
        ),
        hint: format!(
            "`vlpt study status {dir}` says why; `vlpt study run {dir} --retry` tries failed jobs \
             again"
        ),
    })
}

/// A kind of jobs by its name.
fn kind(name: &str) -> Result<Kind, String> {
    let known = Kind::ALL.into_iter().find(|kind| kind.name() == name);
    known.ok_or_else(|| {
        let names = Kind::ALL.map(Kind::name);
        format!("expected one of {}", names.join(", "))
    })
}
