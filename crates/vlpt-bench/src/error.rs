//! What can go wrong between a protocol and its tables.

use std::path::PathBuf;

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, BenchError>;

/// Every error of this crate; [`BenchError::hint`] says the way out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BenchError {
    /// A file could not be read or written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A data set, a recipe, a plan or a result.
    #[error(transparent)]
    Study(#[from] vlpt_study::StudyError),
    /// A table.
    #[error(transparent)]
    Tables(#[from] vlpt_tables::TablesError),
    /// What was asked for makes no benchmark.
    #[error("{what}")]
    Choice {
        /// What was asked for and what there is.
        what: String,
        /// The way out.
        hint: String,
    },
    /// A file of a bench folder that is absent or damaged.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
}

impl From<vlpt_train::TrainError> for BenchError {
    fn from(error: vlpt_train::TrainError) -> Self {
        Self::Study(error.into())
    }
}

impl BenchError {
    pub(crate) fn choice(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Choice {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io(_) => None,
            Self::Study(error) => error.hint(),
            Self::Tables(error) => error.hint().map(str::to_owned),
            Self::Choice { hint, .. } => Some(hint.clone()),
            Self::File { .. } => {
                Some("give the command that made the folder again: results stay good".to_owned())
            }
        }
    }
}
