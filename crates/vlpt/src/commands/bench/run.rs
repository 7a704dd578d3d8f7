//! A benchmark: looked for, planned, done, and its tables.

use std::path::Path;

use serde::Serialize;
use vlpt_base::shell;
use vlpt_bench::{Checked, Estimate, Planned, State, estimate, protocol};
use vlpt_study::{RunLimits, Shard, TrainExecutor};

use super::args::BenchArgs;
use super::{survey, table};
use crate::commands::study::time;
use crate::commands::study::work::{do_jobs, finished};
use crate::console::{Console, table as text_table};
use crate::error::CliError;
use crate::interrupt::{self, Gently};
use crate::options::refuse_inside;
use crate::watch::Watch;

/// What is at hand.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    tasks: &'a [Checked],
}

#[derive(Debug, Serialize)]
struct Dry<'a> {
    tasks: &'a [Checked],
    jobs: usize,
    warnings: &'a [String],
    estimate: &'a Estimate,
}

#[derive(Debug, Serialize)]
struct PlannedOnly<'a> {
    folder: &'a Path,
    jobs: usize,
}

/// Does what the flags ask for.
pub(super) fn run(name: &str, args: &BenchArgs, console: &Console) -> Result<(), CliError> {
    let protocol = protocol(name)
        .ok_or_else(|| CliError::failure(format!("the benchmark {name} is not in the list")))?;
    let request = args.request(protocol)?;
    // what cannot be used should be said before any work
    request.methods()?;
    let tasks = request.survey()?;
    if args.list {
        return console.result(&Listed { tasks: &tasks }, || survey::text(&tasks, true));
    }
    let out = match (&args.out, args.dry_run) {
        (Some(out), _) => Some(out),
        (None, true) => None,
        (None, false) => {
            return Err(CliError::usage(
                "no folder for the results",
                "name one with --out; --list and --dry-run need none",
            ));
        }
    };
    if tasks.iter().all(|task| task.state != State::Found) {
        return Err(CliError::usage(
            format!("none of the tasks of {name} is at hand"),
            "name the folders that hold them with --data; --list says what is looked for",
        ));
    }
    console.say(survey::text(&tasks, false));
    let clip = args.model.open(console)?;
    let watch = Watch::new(console);
    let planned = request.plan(tasks, &clip, &watch)?;
    for warning in &planned.warnings {
        console.say(format!("warning: {warning}"));
    }
    if args.dry_run {
        return dry(&planned, &clip, console);
    }
    let Some(out) = out else { return Ok(()) };
    for (task, _) in planned.tasks.values() {
        refuse_inside(task, out)?;
    }
    planned.write(out)?;
    let jobs = planned.plan.jobs().len();
    if args.plan_only {
        let document = PlannedOnly { folder: out, jobs };
        return console.result(&document, || {
            format!(
                "{jobs} jobs\nnext: vlpt study run {out}, or vlpt study launch {out} --on slurm; then vlpt bench \
                 table {out}",
                out = shell::path(out)
            )
        });
    }
    let shard = match args.shard {
        Some(shard) => shard,
        None => Shard::from_environment(|name| std::env::var(name).ok())?.unwrap_or(Shard::WHOLE),
    };
    let threads = rayon::current_num_threads();
    let at_once = args.jobs.map_or(1, std::num::NonZeroUsize::get);
    let limits = RunLimits {
        threads,
        memory: args.memory,
        jobs: Some(at_once),
        shard,
        retry: args.retry,
        ..RunLimits::default()
    };
    let executor = TrainExecutor::new(clip, (threads / at_once).max(1), args.pixels as usize);
    interrupt::goes_on_when_given_again();
    let gently = Gently::begin();
    let report = do_jobs(out, &planned.plan, &executor, &limits, console)?;
    drop(gently);
    table::show(out, args.against.as_deref(), None, console)?;
    finished(out, &report)
}

/// Says how long it will take.
fn dry(planned: &Planned, clip: &vlpt_clip::Clip, console: &Console) -> Result<(), CliError> {
    console.say("timing a few steps of each method with the model");
    let scratch = std::env::temp_dir().join(format!("vlpt-bench-{}", std::process::id()));
    let found = estimate(planned, clip, &scratch);
    if scratch.is_dir() {
        fs_err::remove_dir_all(&scratch)?;
    }
    let found = found?;
    let document = Dry {
        tasks: &planned.file.tasks,
        jobs: planned.plan.jobs().len(),
        warnings: &planned.warnings,
        estimate: &found,
    };
    console.result(&document, || text(planned, &found))
}

fn text(planned: &Planned, found: &Estimate) -> String {
    let recipe = |name: &str| {
        let mut methods = planned.file.methods.iter();
        let own = methods.find(|method| method.name == name);
        let recipe = own.and_then(|method| method.recipe.clone());
        recipe.unwrap_or_else(|| "own values".to_owned())
    };
    let rows: Vec<Vec<String>> = found
        .methods
        .iter()
        .map(|cost| {
            vec![
                cost.method.clone(),
                recipe(&cost.method),
                cost.jobs.to_string(),
                cost.training.map_or("?".to_owned(), time),
                time(cost.images),
            ]
        })
        .collect();
    let mib = |bytes: u64| bytes >> 20;
    let mut text = text_table(
        &["method", "recipe", "jobs", "training", "test images"],
        &rows,
    );
    text += &format!(
        "\n\n{} jobs, about {} on this machine with {} threads, one after the other, {} of it for image features that all \
         share\nmemory: {} MiB for the model's weights in f32, and up to {} MiB for each job at a time",
        planned.plan.jobs().len(),
        time(found.seconds),
        rayon::current_num_threads(),
        time(found.features),
        mib(found.model_memory),
        mib(found.job_memory),
    );
    if found.methods.iter().any(|cost| cost.training.is_none()) {
        text += "\n?: could not be timed alone, and is not in the sum";
    }
    text
}
