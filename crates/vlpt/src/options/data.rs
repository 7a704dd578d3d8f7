//! How a data set is read: the options that every command that opens one has.

use clap::{Args, ValueEnum};
use vlpt_data::{Format, Task};

use crate::error::CliError;

/// How a data set is read.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataFlags {
    /// Its format; recognised when left out
    #[arg(long, value_name = "FORMAT", env = "VLPT_FORMAT")]
    pub(crate) format: Option<Format>,
    /// Its name in the catalogue, or which of several sets below the folder [default: from the folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Which column holds the labels where a file has several
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    /// The seed of the split made where the data has none [default: 0]
    #[arg(long, value_name = "SEED")]
    pub(crate) split_seed: Option<u64>,
    /// Leave out class folders without images instead of refusing them
    #[arg(long)]
    pub(crate) drop_empty_classes: bool,
    /// Leave out listed images that are absent instead of refusing them
    #[arg(long)]
    pub(crate) skip_missing_images: bool,
    /// Images that cannot be decoded: `stop` at the first, or `skip` them; every image is then decoded once before any is drawn [default: stop]
    #[arg(long, value_enum, value_name = "RULE")]
    pub(crate) broken: Option<BrokenArg>,
}

/// What is done about images that cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum BrokenArg {
    Skip,
    Stop,
}

impl DataFlags {
    /// The flags given, as settings of a configuration.
    pub(crate) fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        let mut set = |key: &str, value: Option<String>| {
            settings.extend(value.map(|v| format!("data.{key}={v}")));
        };
        set("format", self.format.map(|f| f.to_string()));
        set("name", self.name.clone());
        set("label_column", self.label_column.clone());
        set("split_seed", self.split_seed.map(|s| s.to_string()));
        set(
            "drop_empty_classes",
            self.drop_empty_classes.then(|| "true".to_owned()),
        );
        set(
            "skip_missing_images",
            self.skip_missing_images.then(|| "true".to_owned()),
        );
        set(
            "broken",
            self.broken.map(|broken| match broken {
                BrokenArg::Skip => "skip".to_owned(),
                BrokenArg::Stop => "stop".to_owned(),
            }),
        );
        settings
    }
}

/// A data set and how to read it.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// The data set: a folder, a manifest (.csv, .jsonl), or `synthetic:NAME`
    #[arg(value_name = "DATA")]
    pub(crate) data: String,
    #[command(flatten)]
    pub(crate) flags: DataFlags,
}

impl DataArgs {
    /// Opens the data set.
    pub(crate) fn open(&self) -> Result<Task, CliError> {
        let mut settings = self.flags.settings();
        settings.push(format!("data.path={}", self.data));
        Ok(vlpt_train::open_task(
            &vlpt_train::load(None, None, &settings)?.data,
        )?)
    }
}
