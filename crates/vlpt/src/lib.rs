//! `vlpt`: adapts a frozen CLIP to an image task by learning a few prompt vectors.
//!
//! The command line as one function, [`run`], for the program `vlpt` and for the script of the same name
//! that comes with the Python package. What can be done with a program's own images and labels is in the
//! crates below this one.

mod answers;
mod commands;
mod console;
mod demo;
mod error;
mod figures;
mod interrupt;
mod invocation;
mod kept_rows;
mod options;
mod output;
mod pipeline;
mod tuning;
mod verdict;
mod watch;

use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::console::Console;
use crate::error::CliError;

const AFTER_HELP: &str = "\
First steps:
  vlpt demo                                      tune and compare on photos and drawn tasks, offline
  vlpt tune photos/                              make a classifier of a folder of class folders
  vlpt predict runs/photos new/*.jpg             classify other photos with it

Exit codes:
  0  done
  1  input, output or the work itself failed
  2  the command line or the configuration cannot be used as given
  3  the work ran to its end and found faults: a check, or images that cannot be classified
  130, 143  stopped by Ctrl-C or SIGTERM; a run says how it goes on";

/// Adapts a frozen CLIP model to an image task by learning a few prompt vectors.
#[derive(Debug, Parser)]
#[command(name = "vlpt", version, after_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print the result as one JSON document on standard output
    #[arg(long, global = true, display_order = 900, env = "VLPT_JSON", value_parser = options::switch)]
    json: bool,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, display_order = 901, env = "VLPT_QUIET", value_parser = options::switch)]
    quiet: bool,
    /// Threads to compute with; results do not depend on it [default: all cores]
    #[arg(
        long,
        global = true,
        display_order = 902,
        value_name = "N",
        env = "VLPT_THREADS"
    )]
    threads: Option<std::num::NonZeroUsize>,
    /// Memory that images being decoded may take together, in MiB, whatever a configuration says; one
    /// that needs more is decoded alone [default: 2048, in trainings `compute.memory_mb`]
    #[arg(
        long,
        global = true,
        display_order = 903,
        value_name = "MIB",
        env = "VLPT_DECODE_MB"
    )]
    decode_mb: Option<std::num::NonZeroU32>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tune prompts on satellite photos and drawn tasks that are in the program, write a report
    Demo(demo::DemoArgs),
    /// Make the best classifier that your photos allow, and say how good it is
    Tune(Box<commands::tune::TuneArgs>),
    /// Tune a prompt on a data set and write a run folder
    Train(Box<commands::train::TrainArgs>),
    /// Tune one prompt for many tasks, and adapt it
    #[command(subcommand)]
    Multitask(Box<commands::multitask::MultitaskCommand>),
    /// Evaluate a prompt folder on a data set
    Eval(commands::eval::EvalArgs),
    /// Evaluate the model as it is, with class names in templates
    Zeroshot(commands::zeroshot::ZeroshotArgs),
    /// Classify images with a prompt folder
    Predict(commands::predict::PredictArgs),
    /// Answer over HTTP with any number of prompts on one model
    #[cfg(feature = "serve")]
    Serve(Box<commands::serve::ServeArgs>),
    /// Make a prompt folder of a published checkpoint
    Import(Box<commands::import::ImportArgs>),
    /// Average prompts over seeds
    Average(commands::average::AverageArgs),
    /// Put methods side by side: means with intervals, ranks, tests
    Compare(commands::compare::CompareArgs),
    /// Add learned updates to the weights of the model and write a model's folder
    Merge(commands::merge::MergeArgs),
    /// Write a prompt for other programs: ONNX, transformers.js, PEFT, Hugging Face
    Export(Box<commands::export::ExportArgs>),
    /// Write the features of images or texts to a file
    Embed(commands::embed::EmbedArgs),
    /// Show the tokens of texts
    Tokenize(commands::tokenize::TokenizeArgs),
    /// Write the exact tensor that the model sees of an image
    Preprocess(commands::preprocess::PreprocessArgs),
    /// Read what prompts have learned, and what data sets say about it
    #[command(subcommand)]
    Inspect(Box<commands::inspect::InspectCommand>),
    /// Find out which task helps which: plan, run, merge
    #[command(subcommand)]
    Study(commands::study::StudyCommand),
    /// Run a published benchmark on the data at hand, to its tables
    #[command(subcommand)]
    Bench(commands::bench::BenchCommand),
    /// Show what each method learns, needs and takes on this machine
    Methods(commands::methods::MethodsArgs),
    /// Look at models
    #[command(subcommand)]
    Model(commands::model::ModelCommand),
    /// Look at data sets
    #[command(subcommand)]
    Data(commands::data::DataCommand),
    /// Say what this machine offers and what will be used
    Doctor(commands::doctor::DoctorArgs),
}

/// Runs a command line and returns the exit code of the program.
///
/// `arguments` begin with the program's name. `program` is a file that starts the program again with other
/// arguments, as jobs of a cluster do; none: the file that this process runs.
///
/// What is printed goes to the standard streams of the process. The pool of threads and what is done about
/// signals belong to the whole process, so it runs one command line and then ends.
pub fn run(arguments: Vec<OsString>, program: Option<PathBuf>) -> u8 {
    invocation::remember(&arguments, program);
    let code = match parse(arguments) {
        Ok(cli) => outcome(&cli),
        Err(error) => {
            // as `clap::Error::exit`, but the process is not ours to end
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(u8::MAX)
        }
    };
    // whoever called may end the process without the cleaning up of a Rust program
    let _ = std::io::stdout().flush();
    code
}

fn outcome(cli: &Cli) -> u8 {
    let console = Console::new(cli.json, cli.quiet);
    match begin(cli, &console) {
        Ok(()) => 0,
        Err(error) => {
            let error = interrupt::explain(error);
            if !matches!(error, CliError::Closed) {
                console.complain(&error.render(cli.json));
            }
            error.code()
        }
    }
}

/// The command line and the environment.
///
/// # Errors
/// They make no sense, or only help is asked for.
fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let command = options::without_empty_variables(Cli::command());
    let matches = command.try_get_matches_from(arguments)?;
    let parsed = options::remember(&matches).and_then(|()| Cli::from_arg_matches(&matches));
    parsed.map_err(|error| error.format(&mut Cli::command()))
}

fn begin(cli: &Cli, console: &Console) -> Result<(), CliError> {
    options::check_kernels()?;
    options::check_threads(cli.threads)?;
    // before the first thread, whose stack may be what does not fit
    options::check_address_space(cli.threads)?;
    interrupt::listen(cli.json)?;
    if let Some(mib) = cli.decode_mb {
        vlpt_data::image::set_memory_ceiling(u64::from(mib.get()) << 20);
    }
    if let Command::Tokenize(args) = &cli.command {
        // computes nothing that threads could share
        return commands::tokenize::run(args, console);
    }
    #[cfg(feature = "serve")]
    if let Command::Serve(args) = &cli.command {
        // waits most of its time, which would keep a thread of the pool from work
        options::start_pool(cli.threads)?;
        return commands::serve::run(args, console);
    }
    options::in_pool(cli.threads, || work(cli, console))?
}

fn work(cli: &Cli, console: &Console) -> Result<(), CliError> {
    match &cli.command {
        Command::Demo(args) => demo::run(args, console),
        Command::Tune(args) => commands::tune::run(args, console),
        Command::Train(args) => commands::train::run(args, console),
        Command::Multitask(command) => commands::multitask::run(command, console),
        Command::Eval(args) => commands::eval::run(args, console),
        Command::Zeroshot(args) => commands::zeroshot::run(args, console),
        Command::Predict(args) => commands::predict::run(args, console),
        #[cfg(feature = "serve")]
        Command::Serve(args) => commands::serve::run(args, console),
        Command::Import(args) => commands::import::run(args, console),
        Command::Average(args) => commands::average::run(args, console),
        Command::Compare(args) => commands::compare::run(args, console),
        Command::Merge(args) => commands::merge::run(args, console),
        Command::Export(args) => commands::export::run(args, console),
        Command::Embed(args) => commands::embed::run(args, console),
        Command::Tokenize(args) => commands::tokenize::run(args, console),
        Command::Preprocess(args) => commands::preprocess::run(args, console),
        Command::Inspect(command) => commands::inspect::run(command, console),
        Command::Study(command) => commands::study::run(command, console),
        Command::Bench(command) => commands::bench::run(command, console),
        Command::Methods(args) => commands::methods::run(args, console),
        Command::Model(command) => commands::model::run(command, console),
        Command::Data(command) => commands::data::run(command, console),
        Command::Doctor(args) => commands::doctor::run(args, console),
    }
}
