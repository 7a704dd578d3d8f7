//! `vlpt predict`: classes with probabilities for images.

mod watch;

use std::path::PathBuf;

use clap::Args;
use vlpt_adapter::{PredictOptions, Predictor, PromptFolder};
use vlpt_base::hash::fingerprint;

use crate::answers::Answering;
use crate::console::Console;
use crate::error::CliError;
use crate::kept_rows::folder_hash;
use crate::options::{BaseModelArgs, ImageArgs, RowArgs, row_format};
use crate::watch::Watch;
use watch::WatchArgs;

const EXAMPLES: &str = "\
Answers stand in the order of the images, whatever the number of threads. An image that cannot be
read or decoded has a row with its error; the others go on, and the exit code is 3 at the end. With
--out, the same command goes on where it was interrupted.

Examples:
  vlpt predict runs/photos new/ --out answers.csv        a folder, with all below it
  vlpt predict runs/photos 2019.zip 2020.tar.gz -k 1     archives, which stay packed
  find . -name '*.jpg' -print0 | vlpt predict runs/photos --files-from -
  tar c new | ssh server vlpt predict runs/photos -      a tar through a pipe
  vlpt predict runs/photos --watch in/ --out a.jsonl     photos as they come, until Ctrl-C";

/// Flags of `vlpt predict`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PredictArgs {
    /// A prompt folder, or a run folder that holds one
    #[arg(value_name = "PROMPT")]
    prompt: PathBuf,
    /// Image files, folders, zips or tars (`.tar`, `.tar.gz`, `.tgz`); `-` is standard input: an image,
    /// a tar of images, or a list of paths
    #[arg(value_name = "IMAGE", required_unless_present_any = ["files_from", "watch"])]
    images: Vec<PathBuf>,
    /// A file with one image path a line, or with NUL bytes between them, as `find -print0` writes; `-`
    /// reads the list from standard input
    #[arg(long, value_name = "FILE")]
    files_from: Option<PathBuf>,
    /// Tell these classes apart instead, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    classes: Vec<String>,
    /// Write the answers to a file instead of printing them; .csv, .jsonl or .parquet
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    base: BaseModelArgs,
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    watch: WatchArgs,
}

/// Classifies each image; a bad one is reported and the others go on.
pub(crate) fn run(args: &PredictArgs, console: &Console) -> Result<(), CliError> {
    args.rows.check_used(args.out.is_some(), true, "--out")?;
    args.rows.none.none_below()?;
    args.out.as_deref().map(row_format).transpose()?;
    args.watch.check(args.out.as_deref(), console)?;
    let images = if args.watch.folder().is_some() {
        None
    } else {
        let images = ImageArgs {
            images: args.images.clone(),
            files_from: args.files_from.clone(),
        };
        Some(images.given(args.out.is_none(), console)?)
    };
    let options = PredictOptions {
        model: args.base.model.clone(),
        classes: (!args.classes.is_empty()).then(|| args.classes.clone()),
        precision: args.base.precision.setting(),
        force: args.base.force,
    };
    let predictor = Predictor::open(&args.prompt, &options, &Watch::new(console))?;
    let classifier = match args.out {
        Some(_) => args.classifier()?,
        None => String::new(), // nothing is gone on with
    };
    // what `vlpt tune` found on photos it had not seen
    let rows = args.rows.or_threshold(predictor.threshold());
    let answering = Answering {
        predictor: &predictor,
        classifier: &classifier,
        rows: &rows,
        out: args.out.as_deref(),
        console,
    };
    match images {
        Some(images) => answering.answer(images),
        None => args.watch.run(&answering),
    }
}

impl PredictArgs {
    /// Hash over what the classifier is made of, beside the model.
    fn classifier(&self) -> Result<String, CliError> {
        let prompt = folder_hash(&PromptFolder::open(&self.prompt)?.path)?;
        let parts = std::iter::once(&prompt).chain(&self.classes);
        Ok(fingerprint(parts))
    }
}
