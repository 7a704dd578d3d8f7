//! What can be wrong with the layout of a data set.

use std::path::PathBuf;

/// A data set that cannot be read as it lies.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LayoutError {
    /// No layout fits.
    #[error("{}: not a data set of a known layout; looked for {}", path.display(), looked_for.join("; "))]
    NotRecognised {
        /// What was opened.
        path: PathBuf,
        /// What each layout would need.
        looked_for: Vec<String>,
    },
}

impl LayoutError {
    /// A way out, in one sentence, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotRecognised { .. } => Some(
                "name the format, or see docs/reference/dataset-formats.md for the layouts".to_owned(),
            ),
        }
    }
}
