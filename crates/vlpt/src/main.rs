//! `vlpt`: adapts a frozen CLIP to an image task by learning a few prompt vectors.

mod console;
mod demo;
mod error;
mod figures;
mod options;
mod output;
mod tuning;
mod verbs;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::console::Console;
use crate::error::CliError;

const AFTER_HELP: &str = "\
First steps:
  vlpt demo                                      tune and compare on synthetic tasks, offline
  vlpt train photos/ --out runs/photos           tune a prompt on a folder of class folders
  vlpt predict runs/photos/prompt new/*.jpg      classify other photos with it

Exit codes:
  0  done
  1  input, output or the work itself failed
  2  the command line or the configuration cannot be used as given
  3  a check ran to its end and found faults";

/// Adapts a frozen CLIP model to an image task by learning a few prompt vectors.
#[derive(Debug, Parser)]
#[command(name = "vlpt", version, after_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Print the result as one JSON document on standard output
    #[arg(long, global = true, env = "VLPT_JSON")]
    json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, env = "VLPT_QUIET")]
    quiet: bool,
    /// Threads to compute with; results do not depend on it [default: all cores]
    #[arg(long, global = true, value_name = "N", env = "VLPT_THREADS")]
    threads: Option<std::num::NonZeroUsize>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Tune prompts on tasks that the program draws itself, compare with zero-shot, write a report
    Demo(demo::DemoArgs),
    /// Tune a prompt on a data set and write a run folder
    Train(Box<verbs::train::TrainArgs>),
    /// Tune one prompt for many tasks, and adapt it
    #[command(subcommand)]
    Multitask(Box<verbs::multitask::MultitaskVerb>),
    /// Evaluate a prompt folder on a data set
    Eval(verbs::eval::EvalArgs),
    /// Evaluate the model as it is, with class names in templates
    Zeroshot(verbs::zeroshot::ZeroshotArgs),
    /// Classify images with a prompt folder
    Predict(verbs::predict::PredictArgs),
    /// Make a prompt folder of a checkpoint published by CoOp, CoCoOp or MVLPT
    Import(Box<verbs::import::ImportArgs>),
    /// Average prompts over seeds
    Average(verbs::average::AverageArgs),
    /// Write the features of images or texts to a file
    Embed(verbs::embed::EmbedArgs),
    /// Show the tokens of texts
    Tokenize(verbs::tokenize::TokenizeArgs),
    /// Write the exact tensor that the model sees of an image
    Preprocess(verbs::preprocess::PreprocessArgs),
    /// Read what prompts have learned, and what data sets say about it
    #[command(subcommand)]
    Inspect(Box<verbs::inspect::InspectVerb>),
    /// Find out which task helps which: plan, run, merge
    #[command(subcommand)]
    Study(verbs::study::StudyVerb),
    /// Look at models
    #[command(subcommand)]
    Model(verbs::model::ModelVerb),
    /// Look at data sets
    #[command(subcommand)]
    Data(verbs::data::DataVerb),
    /// Say what this machine offers and what will be used
    Doctor(verbs::doctor::DoctorArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.json, cli.quiet);
    match run(&cli, &console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if !matches!(error, CliError::Closed) {
                console.complain(&error.render(cli.json));
            }
            error.exit_code()
        }
    }
}

fn run(cli: &Cli, console: &Console) -> Result<(), CliError> {
    options::check_kernels()?;
    options::in_pool(cli.threads, || work(cli, console))?
}

fn work(cli: &Cli, console: &Console) -> Result<(), CliError> {
    match &cli.verb {
        Verb::Demo(args) => demo::run(args, console),
        Verb::Train(args) => verbs::train::run(args, console),
        Verb::Multitask(verb) => verbs::multitask::run(verb, console),
        Verb::Eval(args) => verbs::eval::run(args, console),
        Verb::Zeroshot(args) => verbs::zeroshot::run(args, console),
        Verb::Predict(args) => verbs::predict::run(args, console),
        Verb::Import(args) => verbs::import::run(args, console),
        Verb::Average(args) => verbs::average::run(args, console),
        Verb::Embed(args) => verbs::embed::run(args, console),
        Verb::Tokenize(args) => verbs::tokenize::run(args, console),
        Verb::Preprocess(args) => verbs::preprocess::run(args, console),
        Verb::Inspect(verb) => verbs::inspect::run(verb, console),
        Verb::Study(verb) => verbs::study::run(verb, console),
        Verb::Model(verb) => verbs::model::run(verb, console),
        Verb::Data(verb) => verbs::data::run(verb, console),
        Verb::Doctor(args) => verbs::doctor::run(args, console),
    }
}
