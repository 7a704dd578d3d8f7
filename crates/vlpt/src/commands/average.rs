//! `vlpt average`: the mean of prompts over seeds.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use vlpt_adapter::{Averaged, PromptFolder, average_prompts};

use crate::console::{Console, table};
use crate::error::CliError;
use crate::options::{PrecisionArgs, open_model};

const AFTER_HELP: &str = "\
The prompts must be alike in everything but their seed: method and options, shapes, base model,
preprocessing, and for class-specific prompts the class names. A baseline holds no prompts and is
refused. The classifier is made anew from the averaged prompts by the base model.

Example:
  vlpt average runs/seed1 runs/seed2 runs/seed3 --out runs/mean
  vlpt eval runs/mean photos/";

/// Flags of `vlpt average`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct AverageArgs {
    /// Prompt folders, or run folders that hold one; two or more
    #[arg(value_name = "PROMPT", required = true)]
    prompts: Vec<PathBuf>,
    /// The prompt folder to write; it must not exist yet
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Find the base model under this name instead of the one in the first prompt folder
    #[arg(long, short, value_name = "NAME")]
    model: Option<String>,
    #[command(flatten)]
    precision: PrecisionArgs,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    folder: &'a Path,
    #[serde(flatten)]
    averaged: &'a Averaged,
}

/// Averages and says what went in.
pub(crate) fn run(args: &AverageArgs, console: &Console) -> Result<(), CliError> {
    let first = PromptFolder::open(&args.prompts[0])?;
    let name = args.model.as_deref().unwrap_or(&first.adapter.base_model);
    let clip = open_model(name, args.precision.resolve(), console)?;
    let averaged = average_prompts(&args.prompts, &clip, &args.out)?;
    for note in &averaged.notes {
        console.say(format!("note: {note}"));
    }
    let document = Document {
        folder: &args.out,
        averaged: &averaged,
    };
    console.result(&document, || text(&averaged))?;
    console.say(format!("wrote {}", args.out.display()));
    Ok(())
}

fn text(averaged: &Averaged) -> String {
    let sources: Vec<Vec<String>> = averaged
        .sources
        .iter()
        .map(|source| {
            vec![
                source.folder.clone(),
                source.task.clone(),
                source.seed.to_string(),
                source.epoch.to_string(),
            ]
        })
        .collect();
    let spread: Vec<Vec<String>> = averaged
        .spread
        .iter()
        .map(|(name, share)| vec![name.clone(), format!("{:.1}", 100.0 * share)])
        .collect();
    format!(
        "the mean of {} prompts of {}, {} values\n\n{}\n\n{}",
        averaged.sources.len(),
        averaged.method,
        averaged.values,
        table(&["prompt", "task", "seed", "epoch"], &sources),
        table(
            &["parameter", "farthest from the mean, % of its length"],
            &spread
        ),
    )
}
