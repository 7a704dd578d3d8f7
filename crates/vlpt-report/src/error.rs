//! What can go wrong when a report is written.

use std::io;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, ReportError>;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The report cannot be written; the message names the path.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The path of a report ends in nothing that a file could be called.
    #[error(
        "{path}: cannot be the name of a report; expected a path to a file, such as report.html"
    )]
    NoFileName {
        /// The path as given.
        path: String,
    },
}

impl ReportError {
    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io(_) => None,
            Self::NoFileName { .. } => Some("give the report a file name".to_owned()),
        }
    }
}
