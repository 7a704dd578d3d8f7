//! `vlpt study launch`: a plan as jobs of a cluster.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use vlpt_base::shell;
use vlpt_study::launch::slurm::{SlurmOptions, Stage, submit};

use super::bytes;
use crate::console::Console;
use crate::error::CliError;

const AFTER_HELP: &str = "\
Submits what is missing as job arrays: jobs that need no other first, then those that start from
the prompts of others. Jobs that are preempted go back into the queue and go on where they were.
Logs lie in log/ beside the results, the batch scripts in launch/. The study's folder and the data
must be on a file system that all machines share. `--threads` is the number of processors of a job.

Example:
  vlpt study launch study --on slurm --shards 16 --threads 8 --memory 16G --option=--partition=cpu
  vlpt study status study";

/// Flags of `vlpt study launch`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct LaunchArgs {
    /// The study's folder
    #[arg(value_name = "STUDY")]
    dir: PathBuf,
    /// The cluster's scheduler
    #[arg(long, value_enum)]
    on: Scheduler,
    /// Jobs of each array
    #[arg(long, value_name = "N", default_value = "4")]
    shards: std::num::NonZeroUsize,
    /// At most so many jobs of an array at a time
    #[arg(long, value_name = "N")]
    at_once: Option<usize>,
    /// Memory of each job, such as 8G [default: the cluster's]
    #[arg(long, value_name = "BYTES", value_parser = bytes)]
    memory: Option<u64>,
    /// An option of sbatch, such as --option=--time=2:00:00; may be given many times
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
    /// The program that jobs start [default: this one]
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Scheduler {
    Slurm,
}

#[derive(Debug, Serialize)]
struct Submission {
    stage: &'static str,
    job: String,
    script: PathBuf,
}

/// Submits and prints the jobs.
pub(crate) fn run(args: &LaunchArgs, console: &Console) -> Result<(), CliError> {
    let Scheduler::Slurm = args.on;
    let program = match &args.program {
        Some(program) => fs_err::canonicalize(program)?,
        None => crate::invocation::program()?,
    };
    let program = program.into_os_string().into_string().map_err(|path| {
        CliError::usage(
            format!("the program's path {} is not UTF-8", path.to_string_lossy()),
            "name another place of it with --program",
        )
    })?;
    let options = SlurmOptions {
        command: vec![program, "study".to_owned(), "run".to_owned()],
        shards: args.shards.get(),
        at_once: args.at_once,
        threads: rayon::current_num_threads(),
        memory: args.memory,
        options: args.option.clone(),
    };
    let jobs: Vec<Submission> = submit(&args.dir, &options)?
        .into_iter()
        .map(|submitted| Submission {
            stage: match submitted.stage {
                Stage::Sources => "sources",
                Stage::Adapted => "adapted",
            },
            job: submitted.job,
            script: submitted.script,
        })
        .collect();
    console.result(&jobs, || {
        if jobs.is_empty() {
            return "every job is done: nothing was submitted".to_owned();
        }
        let lines = jobs.iter().map(|job| {
            let script = job.script.display();
            format!("submitted {} as job {} ({script})", job.stage, job.job)
        });
        let lines: Vec<String> = lines.collect();
        format!(
            "{}\nnext: vlpt study status {}",
            lines.join("\n"),
            shell::path(&args.dir)
        )
    })
}
