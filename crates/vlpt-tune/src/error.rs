//! What can keep a folder of photos from becoming a classifier.

use std::path::PathBuf;

use thiserror::Error;
use vlpt_adapter::AdapterError;
use vlpt_train::TrainError;

use crate::record::RECORD;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, TuneError>;

/// Every error of this crate; [`TuneError::hint`] says the way out, where one is known.
#[derive(Debug, Error)]
pub enum TuneError {
    /// A file could not be read or written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// Data, a training or a run folder.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Features, classifiers or a prompt folder.
    #[error(transparent)]
    Adapter(#[from] AdapterError),
    /// The report.
    #[error(transparent)]
    Report(#[from] vlpt_report::ReportError),
    /// A photo that cannot be looked into.
    #[error(transparent)]
    Inspect(#[from] vlpt_inspect::InspectError),
    /// A method of another name was asked for.
    #[error("there is no method \"{found}\": expected one of {known}")]
    NoMethod {
        /// The name given.
        found: String,
        /// All names.
        known: String,
    },
    /// Photos that nothing can be tuned on.
    #[error("{task}: {what}")]
    Photos {
        /// The data set.
        task: String,
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: &'static str,
    },
    /// A value that makes no sense.
    #[error("{option} {found}: expected {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// The value.
        found: String,
        /// The values that are accepted.
        expected: &'static str,
    },
    /// The folder for the result is taken.
    #[error("{}: there is something already", dir.display())]
    Taken {
        /// The folder.
        dir: PathBuf,
    },
    /// A `tune.json` that cannot be read.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The observer asked for an end.
    #[error("stopped before a classifier was chosen; nothing was written")]
    Stopped,
}

impl TuneError {
    /// The way out of this error, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Train(error) => error.hint(),
            Self::Adapter(error) => error.hint(),
            Self::Report(error) => error.hint(),
            Self::Inspect(error) => error.hint(),
            Self::Photos { hint, .. } => Some((*hint).to_owned()),
            Self::NoMethod { .. } => {
                Some("`vlpt methods` shows what there is; leave --methods out to try all that fit the time".to_owned())
            }
            Self::Taken { dir } => {
                let mut hint = "choose another folder with --out".to_owned();
                if dir.join(RECORD).exists() {
                    let dir = vlpt_base::shell::path(dir);
                    hint += &format!("; to take more photos, `vlpt tune {dir} --add PHOTOS`");
                }
                Some(hint)
            }
            _ => None,
        }
    }
}
