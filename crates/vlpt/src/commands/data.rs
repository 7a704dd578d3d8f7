//! `vlpt data`: look at data sets, and write few-shot subsets.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use vlpt_data::catalogue;
use vlpt_data::check::{CheckOptions, Level, check};
use vlpt_data::{FewShotRule, Shots, few_shot_of, write_list};

use crate::console::{Console, Unit, table};
use crate::error::CliError;
use crate::options::DataArgs;

/// What to do with data.
#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// Count and decode every image, find broken and duplicate ones, compare with the catalogue
    Check(CheckArgs),
    /// Draw a few-shot subset by a published rule and write it with its hash
    Sample(SampleArgs),
    /// Print the benchmarks that the program knows
    List,
}

/// Flags of `vlpt data check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Compare decoded pixels too, so that one picture in two files is found
    #[arg(long)]
    pixels: bool,
    /// Read files without decoding them: quicker, but finds no broken image and no sizes
    #[arg(long, conflicts_with = "pixels")]
    no_decode: bool,
}

/// Flags of `vlpt data sample`.
#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    data: DataArgs,
    /// The rule: `coop` or `elevater`
    #[arg(long, value_name = "RULE", default_value = "coop")]
    rule: FewShotRule,
    /// Training images of each class, or `all`
    #[arg(long, value_name = "K", default_value = "16")]
    shots: Shots,
    /// Seed of the draw; 0 is one too
    #[arg(long, value_name = "SEED", default_value_t = 1)]
    seed: u64,
    /// The file to write: .json; .jsonl for NAME_train.jsonl and NAME_val.jsonl with an object an image; .pkl as CoOp's code caches it
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// What stands before each image's name in .jsonl and .pkl [default: the set's folder; in .pkl as an absolute path]
    #[arg(long, value_name = "TEXT")]
    image_prefix: Option<String>,
}

/// Runs the chosen command.
pub(crate) fn run(command: &DataCommand, console: &Console) -> Result<(), CliError> {
    match command {
        DataCommand::Check(args) => run_check(args, console),
        DataCommand::Sample(args) => sample(args, console),
        DataCommand::List => list(console),
    }
}

fn run_check(args: &CheckArgs, console: &Console) -> Result<(), CliError> {
    let task = args.data.open(console)?;
    let options = CheckOptions {
        decode: !args.no_decode,
        pixels: args.pixels,
        ..CheckOptions::default()
    };
    let bar = console.bar(Unit::Items);
    let images = task.train.samples.len()
        + task.val.as_ref().map_or(0, |v| v.samples.len())
        + task.test.samples.len();
    bar.begin("reading images", images as u64);
    let report = check(&task, &options, &|done, _| bar.reach(done));
    bar.end();
    console.result(&report, || report.to_string())?;
    match report.count(Level::Error) {
        0 => Ok(()),
        1 => Err(CliError::Faults("1 fault".into())),
        n => Err(CliError::Faults(format!("{n} faults"))),
    }
}

fn sample(args: &SampleArgs, console: &Console) -> Result<(), CliError> {
    let task = args.data.open(console)?;
    let subset = few_shot_of(&task, args.rule, args.shots, args.seed)?;
    let files = if args.out.extension().is_some_and(|ending| ending == "json") {
        if args.image_prefix.is_some() {
            return Err(CliError::usage(
                "--image-prefix was given, but a .json subset has names relative to its set",
                "leave it out, or write a .jsonl or .pkl list",
            ));
        }
        subset.save(&args.out)?;
        vec![args.out.clone()]
    } else {
        write_list(&args.out, &task, &subset, args.image_prefix.as_deref())?
    };
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    console.result(&subset, || {
        format!(
            "wrote {}: {} to train on, {} to validate, rule {}, {} shots, seed {}, SHA-256 {}",
            files.join(" and "),
            subset.train.len(),
            subset.val.len(),
            subset.rule,
            subset.shots,
            subset.seed,
            subset.sha256
        )
    })
}

fn list(console: &Console) -> Result<(), CliError> {
    let entries = catalogue::entries();
    console.result(&entries, || {
        let rows: Vec<Vec<String>> = entries
            .iter()
            .map(|e| {
                let count = |s: &Option<catalogue::ExpectedSplit>| {
                    s.as_ref()
                        .map_or_else(|| "-".to_owned(), |s| s.images.to_string())
                };
                vec![
                    e.full_name(),
                    e.class_count.to_string(),
                    count(&e.train),
                    count(&e.val),
                    count(&e.test),
                    e.metric.to_string(),
                ]
            })
            .collect();
        table(
            &["name", "classes", "train", "val", "test", "metric"],
            &rows,
        )
    })
}
