//! `vlpt inspect`: what prompts have learned, and what data sets say about it.

mod attention;
mod similarity;
mod variance;
mod words;

use std::path::Path;

use clap::Subcommand;
use vlpt_adapter::PromptFolder;
use vlpt_clip::Clip;
use vlpt_inspect::OpenPrompt;

use crate::console::Console;
use crate::error::CliError;
use crate::options::BaseModelArgs;

/// What to look into.
#[derive(Debug, Subcommand)]
pub(crate) enum InspectCommand {
    /// Print the vocabulary's tokens nearest to each learned text token, with distances
    Words(words::WordsArgs),
    /// Compare prompts with each other by parameters, tokens and class features
    Similarity(similarity::SimilarityArgs),
    /// Show where the image tower looks: itself, patches, visual prompts; drawn over the photo
    Attention(attention::AttentionArgs),
    /// Hold the variance of data sets' images and texts against what tuning gains on them
    Variance(variance::VarianceArgs),
}

/// Runs the chosen command.
pub(crate) fn run(command: &InspectCommand, console: &Console) -> Result<(), CliError> {
    match command {
        InspectCommand::Words(args) => words::run(args, console),
        InspectCommand::Similarity(args) => similarity::run(args, console),
        InspectCommand::Attention(args) => attention::run(args, console),
        InspectCommand::Variance(args) => variance::run(args, console),
    }
}

/// A prompt folder and its base model.
fn open(
    path: &Path,
    base: &BaseModelArgs,
    console: &Console,
) -> Result<(OpenPrompt, Clip), CliError> {
    let folder = PromptFolder::open(path)?;
    let clip = base.open(&folder, console)?;
    Ok((OpenPrompt::of(folder, &clip)?, clip))
}
