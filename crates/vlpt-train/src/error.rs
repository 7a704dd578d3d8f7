//! What can go wrong between a configuration and a finished run.

use std::path::PathBuf;

use thiserror::Error;
use vlpt_adapter::AdapterError;
use vlpt_base::files;
use vlpt_base::shell::resume_run;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, TrainError>;

/// Every error of this crate. The message says what was found and what was expected;
/// [`TrainError::hint`] says the way out, where one is known.
#[derive(Debug, Error)]
pub enum TrainError {
    /// A file could not be read or written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The model, its tokenizer or a tower.
    #[error(transparent)]
    Clip(#[from] vlpt_clip::ClipError),
    /// The data set or one of its images.
    #[error(transparent)]
    Data(#[from] vlpt_data::DataError),
    /// The prompt method.
    #[error(transparent)]
    Method(#[from] vlpt_methods::MethodError),
    /// The optimiser and what it should change.
    #[error(transparent)]
    Optim(#[from] vlpt_optim::OptimError),
    /// A prompt folder, features, metrics, or a classifier.
    #[error(transparent)]
    Adapter(AdapterError),

    /// No recipe of that name.
    #[error("there is no recipe \"{found}\": expected one of {known}")]
    UnknownRecipe {
        /// The name given.
        found: String,
        /// All names.
        known: String,
        /// The nearest name.
        suggestion: Option<String>,
    },
    /// A key that no configuration has.
    #[error("{place}: unknown key `{key}`")]
    UnknownKey {
        /// File, line and column, or where else the key was given.
        place: String,
        /// The key.
        key: String,
        /// The nearest key.
        suggestion: Option<String>,
    },
    /// A value of the wrong type, or a file that is not TOML.
    #[error("{place}: {what}")]
    BadValue {
        /// File, line and column, or where else the value was given.
        place: String,
        /// What was found and what was expected.
        what: String,
        /// The nearest value.
        suggestion: Option<String>,
    },
    /// An override without an equals sign.
    #[error("setting \"{setting}\": expected KEY=VALUE")]
    BadSetting {
        /// The override.
        setting: String,
    },
    /// A value that makes no sense.
    #[error("{key} = {found}: expected {expected}")]
    Setting {
        /// The key.
        key: &'static str,
        /// The value found.
        found: String,
        /// The values that are accepted.
        expected: String,
    },

    /// The folder for a new run holds one already.
    #[error("{}: holds a run already", dir.display())]
    RunExists {
        /// The folder.
        dir: PathBuf,
    },
    /// The data set of a run is no longer where it was.
    #[error("{}: nothing lies there, where the run had its data set", path.display())]
    DataGone {
        /// Where it was.
        path: PathBuf,
    },
    /// The folder for a new run lies in a data set that would take it for a part of itself.
    #[error("{}: {why}", dir.display())]
    OutInData {
        /// The folder.
        dir: PathBuf,
        /// What it would be to the data set.
        why: String,
    },
    /// The folder of a run that should go on holds none.
    #[error("{}: holds no run: expected a config.toml", dir.display())]
    NoRun {
        /// The folder.
        dir: PathBuf,
    },
    /// Another process works in the run folder.
    #[error("{}: another process works in this run folder", dir.display())]
    Locked {
        /// The folder.
        dir: PathBuf,
    },
    /// The run folder is not the one that the run began in: it was removed, or replaced.
    #[error("{}: the run folder was removed or replaced while the run went on", dir.display())]
    FolderLost {
        /// The folder.
        dir: PathBuf,
    },
    /// A run should go on with other settings than it was started with.
    #[error("{}: the run was started with {key} = {stored}, now it is {given}", dir.display())]
    ConfigChanged {
        /// The folder.
        dir: PathBuf,
        /// The key that differs.
        key: String,
        /// Its value in the run folder.
        stored: String,
        /// Its value now.
        given: String,
    },
    /// A run should go on with another model or other images than it was started with.
    #[error("{}: the {what} changed since the run was started: {stored} then, {found} now", dir.display())]
    InputChanged {
        /// The folder.
        dir: PathBuf,
        /// `model` or `data`.
        what: &'static str,
        /// The fingerprint in the checkpoint.
        stored: String,
        /// The fingerprint now.
        found: String,
    },
    /// A checkpoint or another file of a run that is damaged.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// The loss is no number any more.
    #[error("the loss became {loss} in epoch {epoch}, step {step}")]
    Diverged {
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step of the epoch, counted from 1.
        step: usize,
        /// The loss.
        loss: f64,
    },
    /// A parameter is no number any more.
    #[error("the parameter `{parameter}` became no number after epoch {epoch}, step {step}")]
    ParameterDiverged {
        /// Its name.
        parameter: String,
        /// Epoch, counted from 1.
        epoch: usize,
        /// Step of the epoch, counted from 1.
        step: usize,
    },
    /// A task, a method and options that do not go together.
    #[error("{what}")]
    Incompatible {
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// The observer asked the run to stop; its checkpoint is written.
    #[error("{}: stopped on request after {epochs} epochs", dir.display())]
    Stopped {
        /// The run folder.
        dir: PathBuf,
        /// Whole epochs done.
        epochs: usize,
    },
}

impl From<AdapterError> for TrainError {
    /// What both crates can meet keeps its own variant.
    fn from(error: AdapterError) -> Self {
        match error {
            AdapterError::Io(error) => Self::Io(error),
            AdapterError::Clip(error) => Self::Clip(error),
            AdapterError::Data(error) => Self::Data(error),
            AdapterError::Method(error) => Self::Method(error),
            other => Self::Adapter(other),
        }
    }
}

impl TrainError {
    /// The way out of this error, where one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io(error) if error.kind() == std::io::ErrorKind::StorageFull => {
                "free some space and try again; a run that had begun goes on with --resume"
                    .to_owned()
            }
            Self::Io(error) => return files::write_hint(error).map(str::to_owned),
            Self::Clip(error) => return error.hint(),
            Self::Data(error) => return error.hint(),
            Self::Method(error) => return error.hint(),
            Self::Optim(error) => return error.hint(),
            Self::Adapter(error) => return error.hint(),
            Self::UnknownRecipe { suggestion, .. }
            | Self::UnknownKey { suggestion, .. }
            | Self::BadValue { suggestion, .. } => {
                return suggestion
                    .as_ref()
                    .map(|name| format!("did you mean `{name}`?"));
            }
            Self::BadSetting { .. } => "write it like train.epochs=5".to_owned(),
            Self::RunExists { dir } => {
                format!(
                    "resume it with `{}`, or choose another folder with --out",
                    resume_run(dir)
                )
            }
            Self::DataGone { .. } => "bring it back, or say where it lies now: \
                `vlpt train --resume RUN DATA`, `vlpt eval RUN DATA`"
                .to_owned(),
            Self::OutInData { .. } => "choose a folder outside the data set with --out".to_owned(),
            Self::NoRun { .. } => "check the path, or start a new run there".to_owned(),
            Self::Locked { dir } => format!(
                "wait for it to end, or choose another folder; where it ends early, `{}` goes on",
                resume_run(dir)
            ),
            Self::FolderLost { .. } => {
                "nothing more was written there; start the run again, in a folder of its own"
                    .to_owned()
            }
            Self::ConfigChanged { key, stored, .. } => format!(
                "leave it out to go on with {key} = {stored}, or start a new run in another folder"
            ),
            Self::InputChanged { what, .. } => {
                format!("bring back the {what} it was started with, or start a new run")
            }
            Self::Diverged { .. } | Self::ParameterDiverged { .. } => {
                "start a new run with a lower --lr".to_owned()
            }
            Self::Incompatible { hint, .. } => return hint.clone(),
            Self::Stopped { dir, .. } => format!("go on with `{}`", resume_run(dir)),
            _ => return None,
        };
        Some(hint)
    }
}
