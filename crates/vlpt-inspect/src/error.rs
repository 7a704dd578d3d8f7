//! What can go wrong when a prompt or a data set is looked into.

use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, InspectError>;

/// Every error of this crate; [`InspectError::hint`] says the way out, where one is known.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// A prompt folder, its model or a data set cannot be read or used.
    #[error(transparent)]
    Adapter(#[from] vlpt_adapter::AdapterError),
    /// A prompt has no learned text tokens to read.
    #[error(
        "{}: the method `{method}` learns no text tokens: there are no words to look for",
        path.display()
    )]
    NoTextTokens {
        /// The prompt folder.
        path: PathBuf,
        /// Its method.
        method: String,
    },
    /// Fewer prompts than a comparison needs.
    #[error("{found} prompt folder: expected at least two to compare")]
    TooFew {
        /// How many were given.
        found: usize,
    },
    /// Prompts of different models were given.
    #[error(
        "{}: tuned for {found}, but {} for {expected}: prompts of different models have no common \
         space to be compared in",
        path.display(),
        first.display()
    )]
    OtherModel {
        /// The folder that differs.
        path: PathBuf,
        /// Name and beginning of the fingerprint of its model.
        found: String,
        /// The first folder.
        first: PathBuf,
        /// The model of the first folder.
        expected: String,
    },
    /// A block or head that the tower does not have.
    #[error("there is no {what} {found}: expected 1 to {most}")]
    NoSuchPart {
        /// `block` or `head`.
        what: &'static str,
        /// The number given, from 1.
        found: usize,
        /// How many there are.
        most: usize,
    },
    /// A class that a prompt does not have.
    #[error("the prompt has no class \"{found}\"")]
    NoSuchClass {
        /// The name given.
        found: String,
        /// Some names that it has.
        known: String,
    },
    /// A table of results that cannot be used.
    #[error("{}: {what}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
}

impl InspectError {
    /// The way out of this error, where one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Adapter(error) => return error.hint(),
            Self::NoTextTokens { .. } => {
                let with = vlpt_methods::names(|spec| spec.flags.context.is_some());
                return Some(format!(
                    "words can be read for {}; for visual prompts see `vlpt inspect attention`",
                    with.join(", ")
                ));
            }
            Self::TooFew { .. } => "name two or more prompt or run folders",
            Self::OtherModel { .. } => "compare prompts that were tuned for one model",
            Self::NoSuchPart { .. } => "blocks and heads are counted from 1",
            Self::NoSuchClass { known, .. } => return Some(format!("its classes are {known}")),
            Self::Results { hint, .. } => return hint.clone(),
        };
        Some(hint.to_owned())
    }
}
