//! `vlpt bench`: published benchmarks, from folders of images to tables.

mod args;
mod figures;
mod run;
mod survey;
mod table;
mod ways;

use clap::Subcommand;

use crate::console::Console;
use crate::error::CliError;

/// The benchmarks.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Few shots on CoOp's eleven data sets, each alone
    #[command(after_help = args::AFTER_HELP)]
    Coop(Box<args::BenchArgs>),
    /// Few shots on ELEVATER's twenty tasks, each alone, or from one prompt for all with --multitask
    #[command(after_help = args::AFTER_HELP)]
    Elevater(Box<args::BenchArgs>),
    /// One prompt for CoOp's eleven sets, tuned on to twelve tasks of ELEVATER and groups of them
    #[command(after_help = args::AFTER_HELP)]
    CrossTask(Box<args::BenchArgs>),
    /// Trained on ImageNet, judged on ImageNetV2, ImageNet-Sketch, ImageNet-A and ImageNet-R
    #[command(after_help = args::AFTER_HELP)]
    Domain(Box<args::BenchArgs>),
    /// Trained on half of a set's classes, judged on either half; harmonic means
    #[command(after_help = args::AFTER_HELP)]
    BaseToNew(Box<args::BenchArgs>),
    /// Trained on ImageNet or another set, judged as it is on CoOp's other data sets
    #[command(after_help = args::AFTER_HELP)]
    CrossDataset(Box<args::BenchArgs>),
    /// Make the tables of a benchmark from the results that are there
    Table(table::TableArgs),
    /// Write ELEVATER's submission file of a benchmark that kept probabilities
    Submission(table::SubmissionArgs),
}

/// Runs the chosen benchmark.
pub(crate) fn run(command: &BenchCommand, console: &Console) -> Result<(), CliError> {
    let (name, args) = match command {
        BenchCommand::Coop(args) => ("coop", args),
        BenchCommand::Elevater(args) => ("elevater", args),
        BenchCommand::CrossTask(args) => ("cross-task", args),
        BenchCommand::Domain(args) => ("domain", args),
        BenchCommand::BaseToNew(args) => ("base-to-new", args),
        BenchCommand::CrossDataset(args) => ("cross-dataset", args),
        BenchCommand::Table(args) => return table::run(args, console),
        BenchCommand::Submission(args) => return table::submit(args, console),
    };
    run::run(name, args, console)
}
