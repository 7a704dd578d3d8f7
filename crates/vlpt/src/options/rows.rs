//! Results image by image, and answers that may be none.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::Args;
use vlpt_adapter::{RowFormat, RowLabels, RowOptions};

use crate::error::CliError;

/// The classes that a row or line names where nothing else is asked for.
const TOP: usize = 3;

/// The form of a file of rows that the command line names.
pub(crate) fn row_format(file: &Path) -> Result<RowFormat, CliError> {
    RowFormat::of(file)
        .map_err(|error| CliError::usage(error.to_string(), error.hint().unwrap_or_default()))
}

/// When an answer is none of the classes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows of images")]
pub(crate) struct NoneArgs {
    /// Answer none of the classes where the most probable one is less probable than this, 0 to 1; 0 always answers [default: in predictions what the prompt says, if it does]
    #[arg(long, value_name = "P")]
    pub(crate) threshold: Option<f64>,
    /// The word for none of the classes [default: none]
    #[arg(long, value_name = "WORD", requires = "threshold")]
    pub(crate) none: Option<String>,
}

impl NoneArgs {
    /// Below which probability there is no answer, and the word for it.
    pub(crate) fn none_below(&self) -> Result<Option<(f64, String)>, CliError> {
        let word = self.none.clone().unwrap_or_else(|| "none".to_owned());
        let Some(threshold) = self.threshold else {
            return Ok(None);
        };
        if !(0.0..=1.0).contains(&threshold) {
            return Err(CliError::usage(
                format!("--threshold {threshold}: expected a probability from 0 to 1"),
                "0.5 answers where one class is more probable than all others together",
            ));
        }
        Ok(Some((threshold, word)))
    }
}

/// What a row or line holds.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows of images")]
pub(crate) struct RowArgs {
    /// How many of the most probable classes are named for each image [default: 3]
    #[arg(long, short = 'k', value_name = "K")]
    pub(crate) top: Option<NonZeroUsize>,
    /// Also write the probability of every class to the file
    #[arg(long)]
    pub(crate) all_scores: bool,
    #[command(flatten)]
    pub(crate) none: NoneArgs,
}

impl RowArgs {
    /// For rows about these classes.
    pub(crate) fn options(
        &self,
        classes: &[String],
        labels: RowLabels,
    ) -> Result<RowOptions, CliError> {
        let options = RowOptions {
            classes: classes.to_vec(),
            top: self.top.map_or(TOP, NonZeroUsize::get),
            scores: self.all_scores,
            labels,
            none_below: self.none.none_below()?,
        };
        options.check()?;
        Ok(options)
    }

    /// The same with a prompt's own threshold, where none was given.
    pub(crate) fn or_threshold(&self, own: Option<f64>) -> Self {
        let mut rows = self.clone();
        rows.none.threshold = rows.none.threshold.or(own);
        rows
    }

    /// Refuses what only a file of rows has where none is written; `flag` would write one.
    pub(crate) fn check_used(&self, file: bool, top: bool, flag: &str) -> Result<(), CliError> {
        let idle = match () {
            () if file => None,
            () if self.all_scores => Some("--all-scores"),
            () if self.top.is_some() && !top => Some("--top"),
            () => None,
        };
        match idle {
            None => Ok(()),
            Some(idle) => Err(CliError::usage(
                format!("{idle} was given, but no file of results image by image"),
                format!("name one with {flag}, or leave {idle} out"),
            )),
        }
    }
}

/// The file that an evaluation writes image by image.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Rows of images")]
pub(crate) struct PredictionsArgs {
    /// Also write label, answer and probabilities of every image; .csv, .jsonl or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) predictions: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) rows: RowArgs,
}
