//! What can go wrong between a study's plan and its matrices.

use std::path::PathBuf;

use thiserror::Error;
use vlpt_base::files;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, StudyError>;

/// Every error of this crate. The message says what was found and what was expected;
/// [`StudyError::hint`] says the way out, where one is known.
#[derive(Debug, Error)]
pub enum StudyError {
    /// A file could not be read or written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A run, an evaluation or a prompt folder.
    #[error(transparent)]
    Train(#[from] vlpt_train::TrainError),
    /// A file of a study folder that is damaged.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// A folder that holds no study.
    #[error("{}: holds no study: expected a plan.jsonl", dir.display())]
    NoPlan {
        /// The folder.
        dir: PathBuf,
    },
    /// A study's settings that make no plan.
    #[error("study: {key}: found {found}, expected {expected}")]
    Setting {
        /// The setting.
        key: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// Results are asked for that are not there yet.
    #[error("{}: {missing} of {all} jobs have no result", dir.display())]
    Incomplete {
        /// The folder.
        dir: PathBuf,
        /// Jobs without a result.
        missing: usize,
        /// All jobs of the plan.
        all: usize,
    },
    /// No shard could be told from the environment, or a shard that makes no sense.
    #[error("shard: {what}")]
    Shard {
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: &'static str,
    },
    /// Numbers of the wrong count, or that are not finite.
    #[error("{what}: found {found}, expected {expected}")]
    Numbers {
        /// Which numbers.
        what: &'static str,
        /// What was found.
        found: String,
        /// What was expected.
        expected: String,
    },
    /// A table could not be written.
    #[error("{}: {what}", path.display())]
    Table {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        what: String,
    },
    /// A program of a cluster is missing or refused what was asked.
    #[error("{program}: {what}")]
    Launch {
        /// The program.
        program: &'static str,
        /// What it said.
        what: String,
        /// The way out.
        hint: &'static str,
    },
}

impl From<vlpt_adapter::AdapterError> for StudyError {
    fn from(error: vlpt_adapter::AdapterError) -> Self {
        Self::Train(error.into())
    }
}

impl StudyError {
    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => files::write_hint(error).map(str::to_owned),
            Self::Train(error) => error.hint(),
            Self::Damaged { path, .. } if path.extension().is_some_and(|e| e == "json") => {
                Some(format!("remove {} and run the study again", path.display()))
            }
            Self::Damaged { .. } => {
                Some("write the plan again with `vlpt study plan`: results stay good".to_owned())
            }
            Self::NoPlan { .. } => Some("write one with `vlpt study plan`".to_owned()),
            Self::Incomplete { .. } => Some(
                "run what is missing with `vlpt study run`, or merge what is there with --partial"
                    .to_owned(),
            ),
            Self::Shard { hint, .. } | Self::Launch { hint, .. } => Some((*hint).to_owned()),
            Self::Setting { .. } | Self::Numbers { .. } | Self::Table { .. } => None,
        }
    }

    pub(crate) fn numbers(
        what: &'static str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        Self::Numbers {
            what,
            found: found.into(),
            expected: expected.into(),
        }
    }
}
