//! `vlpt predict`: classes with probabilities for images.

use std::path::PathBuf;

use clap::Args;
use vlpt_adapter::{PredictOptions, Predictor, RowFormat};

use crate::answers::answer;
use crate::console::Console;
use crate::error::CliError;
use crate::options::{BaseModelArgs, ImageArgs, RowArgs};
use crate::watch::Watch;

/// Flags of `vlpt predict`.
#[derive(Debug, Args)]
pub(crate) struct PredictArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    #[command(flatten)]
    images: ImageArgs,
    #[command(flatten)]
    base: BaseModelArgs,
    /// Tell these classes apart instead, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    classes: Vec<String>,
    /// Write the answers to a file instead of printing them; .csv, .jsonl or .parquet
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rows: RowArgs,
}

/// Classifies each image; a bad one is reported and the others go on.
pub(crate) fn run(args: &PredictArgs, console: &Console) -> Result<(), CliError> {
    args.rows.check_used(args.out.is_some(), true, "--out")?;
    args.rows.none.none_below()?;
    args.out.as_deref().map(RowFormat::of).transpose()?;
    let inputs = args.images.inputs(console)?;
    let options = PredictOptions {
        model: args.base.model.clone(),
        classes: (!args.classes.is_empty()).then(|| args.classes.clone()),
        precision: args.base.precision.setting(),
        force: args.base.force,
    };
    let predictor = Predictor::open(&args.prompt, &options, &Watch::new(console))?;
    answer(
        &inputs,
        &predictor,
        &args.rows,
        args.out.as_deref(),
        console,
    )
}
