//! What can go wrong with a table of results.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, TablesError>;

/// Every error of this crate; [`TablesError::hint`] says the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TablesError {
    /// A file of results cannot be read or used.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, with its place.
        what: String,
        /// The way out.
        hint: String,
    },
    /// A line of a file of published figures that is none.
    #[error("{place}, line {line}: {what}")]
    Published {
        /// The file.
        place: String,
        /// The line, from 1.
        line: u64,
        /// What was found and what was expected.
        what: String,
    },
    /// A choice that the results do not have.
    #[error("{what}")]
    Choice {
        /// What was asked for and what there is.
        what: String,
        /// The way out.
        hint: String,
    },
}

impl TablesError {
    /// The way out.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::File { hint, .. } | Self::Choice { hint, .. } => Some(hint),
            Self::Published { .. } => {
                Some("a line is method,protocol,dataset,shots,measure,value,source,verified,note")
            }
        }
    }
}
