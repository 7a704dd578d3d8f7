//! How a data set is read: the options that every command that opens one has.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use vlpt_data::image::DecodeOptions;
use vlpt_data::{ClassSubset, Format, LabelFromName, LabelSeparator, Task, synthetic};
use vlpt_train::{DataConfig, Layers, RunConfig, open_task_watched};

use super::given::from_environment;
use super::inside::refuse_inside;
use crate::console::{Console, Unit};
use crate::error::CliError;

/// How a data set is read.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Data")]
pub(crate) struct DataFlags {
    /// Its format; recognised when left out
    #[arg(long, value_name = "FORMAT", env = "VLPT_FORMAT")]
    pub(crate) format: Option<Format>,
    /// Its name in the catalogue, or which of several sets below the folder [default: from the folder]
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Which column holds the images of a table or Parquet file
    #[arg(long, value_name = "COLUMN")]
    pub(crate) image_column: Option<String>,
    /// Which column holds the labels where a file has several
    #[arg(long, value_name = "COLUMN")]
    pub(crate) label_column: Option<String>,
    /// A file with the class names: one a line in the order of the labels, or lines `folder name`
    #[arg(long, value_name = "FILE")]
    pub(crate) class_file: Option<PathBuf>,
    /// Which classes are used: `all`, or as CoOp divides them the first half, `base`, or the others, `new` [default: all]
    #[arg(long, value_name = "SUBSET")]
    pub(crate) class_subset: Option<ClassSubset>,
    /// The folder with the images that a table lists; absolute paths are found below it by their last parts [default: found beside the table]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) image_root: Option<PathBuf>,
    /// What stands between several labels in a cell of a table: a sign, or `space`, `tab`, `comma`, `semicolon`, `pipe`
    #[arg(long, value_name = "SIGN")]
    pub(crate) label_separator: Option<LabelSeparator>,
    /// Take the class from the names of image files: `prefix` is the text before a number at the end, `cat` of cat.0.jpg
    #[arg(long, value_name = "PART")]
    pub(crate) label_from_name: Option<LabelFromName>,
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
    /// The flags given, as keys of `[data]` with values as TOML writes them. A format that the
    /// environment names is for what is read, so not for a synthetic task.
    fn pairs(&self, data: Option<&str>) -> Vec<(&'static str, String)> {
        let text = |value: &str| serde_json::Value::from(value).to_string();
        let drawn = data.is_some_and(|data| synthetic::name_in(data).is_some());
        let format = self
            .format
            .filter(|_| !drawn || !from_environment("format"));
        let class_file = self.class_file.as_ref();
        let class_file = class_file.map(|file| file.to_string_lossy().into_owned());
        let image_root = self.image_root.as_ref();
        let image_root = image_root.map(|folder| folder.to_string_lossy().into_owned());
        let separator = self.label_separator.map(|sign| text(&sign.to_string()));
        let from_name = self.label_from_name.map(|part| text(&part.to_string()));
        let broken = self.broken.map(|broken| match broken {
            BrokenArg::Skip => text("skip"),
            BrokenArg::Stop => text("stop"),
        });
        let on = |flag: bool| flag.then(|| "true".to_owned());
        let all = [
            ("format", format.map(|f| text(f.name()))),
            ("name", self.name.as_deref().map(text)),
            ("image_column", self.image_column.as_deref().map(text)),
            ("label_column", self.label_column.as_deref().map(text)),
            ("class_file", class_file.as_deref().map(text)),
            ("class_subset", self.class_subset.map(|s| text(s.name()))),
            ("image_root", image_root.as_deref().map(text)),
            ("label_separator", separator),
            ("label_from_name", from_name),
            ("split_seed", self.split_seed.map(|seed| seed.to_string())),
            ("drop_empty_classes", on(self.drop_empty_classes)),
            ("skip_missing_images", on(self.skip_missing_images)),
            ("broken", broken),
        ];
        let given = all.into_iter();
        given.filter_map(|(key, v)| Some((key, v?))).collect()
    }

    /// The flags given, as settings of a configuration, for the data set at this path.
    pub(crate) fn settings(&self, data: Option<&str>) -> Vec<String> {
        let pairs = self.pairs(data).into_iter();
        pairs
            .map(|(key, value)| format!("data.{key}={value}"))
            .collect()
    }

    /// One of several data sets as a configuration lists it: its path, with the flags given if any.
    pub(crate) fn entry(&self, data: &str) -> String {
        let path = serde_json::Value::from(data).to_string();
        let pairs = self.pairs(Some(data));
        if pairs.is_empty() {
            return path;
        }
        let keys: Vec<String> = pairs.iter().map(|(k, v)| format!("{k} = {v}")).collect();
        format!("{{ path = {path}, {} }}", keys.join(", "))
    }

    /// What is said of a data set, with the flags given over it.
    pub(crate) fn over(&self, data: DataConfig) -> Result<DataConfig, CliError> {
        let overrides = self.settings(Some(&data.path));
        let base = RunConfig {
            data,
            ..RunConfig::default()
        };
        let layers = Layers {
            base: Some(&base),
            overrides: &overrides,
            ..Layers::default()
        };
        Ok(layers.load()?.data)
    }

    /// The first flag on the command line, if there is one.
    pub(crate) fn first(&self) -> Option<String> {
        let mut pairs = self.pairs(None).into_iter();
        let given = pairs.find(|(key, _)| !from_environment(key));
        given.map(|(key, _)| format!("--{}", key.replace('_', "-")))
    }

    /// Refuses flags about data where there is no data.
    pub(crate) fn refuse(&self, why: &str, hint: &str) -> Result<(), CliError> {
        match self.first() {
            Some(flag) => Err(CliError::usage(
                format!("{flag} was given, but {why}"),
                hint,
            )),
            None => Ok(()),
        }
    }

    /// Refuses one name for several data sets.
    pub(crate) fn check_several(&self, count: usize) -> Result<(), CliError> {
        if self.name.is_some() && count > 1 {
            return Err(CliError::usage(
                "--name is given with several data sets",
                "leave --name out, or name one data set",
            ));
        }
        Ok(())
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
    pub(crate) fn open(&self, console: &Console) -> Result<Task, CliError> {
        let data = self.flags.over(DataConfig {
            path: self.data.clone(),
            ..DataConfig::default()
        })?;
        Ok(open_task_watched(&data, &console.bar(Unit::Items))?)
    }

    /// Opens the data set, and says what of it could mislead, decoded as `chosen`.
    pub(crate) fn open_told(
        &self,
        chosen: &DecodeOptions,
        console: &Console,
    ) -> Result<Task, CliError> {
        let task = self.open(console)?;
        tell(&task, chosen, console);
        Ok(task)
    }
}

/// Says what of a data set, decoded as `chosen`, could mislead, and what its reader decided, before work is
/// spent on it.
pub(crate) fn tell(task: &Task, chosen: &DecodeOptions, console: &Console) {
    for found in vlpt_data::check::warnings(task, chosen) {
        console.say(format!("{}: {found}", found.level.name()));
    }
}

/// As [`tell`] and [`refuse_inside`] of several data sets, for a command that opens them itself.
pub(crate) fn before_work(
    tasks: &[Task],
    out: &Path,
    chosen: &DecodeOptions,
    console: &Console,
) -> Result<(), CliError> {
    for task in tasks {
        refuse_inside(task, out)?;
        for found in vlpt_data::check::warnings(task, chosen) {
            console.say(format!("{}: {}: {found}", found.level.name(), task.name));
        }
    }
    Ok(())
}
