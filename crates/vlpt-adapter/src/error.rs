//! What can go wrong between a prompt folder and its predictions.

use std::path::PathBuf;

use thiserror::Error;
use vlpt_base::files;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, AdapterError>;

/// Every error of this crate. The message says what was found and what was expected;
/// [`AdapterError::hint`] says the way out, where one is known.
#[derive(Debug, Error)]
pub enum AdapterError {
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

    /// A folder that holds no prompt.
    #[error("{}: {what}", path.display())]
    NoPrompt {
        /// The folder.
        path: PathBuf,
        /// What it is.
        what: String,
        /// The way out.
        hint: String,
    },
    /// A prompt file or another file of ours that is damaged.
    #[error("{}: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found and what was expected.
        what: String,
    },
    /// A file of a prompt folder is not what was written.
    #[error("{}: changed since it was written: SHA-256 {found}, expected {stored}", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Its hash when it was written.
        stored: String,
        /// Its hash now.
        found: String,
    },
    /// A prompt folder whose tensors are not those of its method.
    #[error("{}: the tensors do not fit the method `{method}`: {}", path.display(), vlpt_base::list::cut(problems, "; "))]
    Tensors {
        /// The file.
        path: PathBuf,
        /// The method.
        method: String,
        /// One sentence for each missing, unexpected or misshapen tensor.
        problems: Vec<String>,
    },
    /// A prompt meets another model than it was tuned for.
    #[error(
        "{}: the prompt was tuned for {tuned_for} ({stored}), but the model is {model} ({found})",
        path.display()
    )]
    WrongModel {
        /// The prompt folder.
        path: PathBuf,
        /// Name of the model it was tuned for.
        tuned_for: String,
        /// Beginning of that model's fingerprint.
        stored: String,
        /// Name of the model given.
        model: String,
        /// Beginning of its fingerprint.
        found: String,
    },
    /// A prompt and a task have different classes.
    #[error("the prompt's classes are not the task's: {what}")]
    OtherClasses {
        /// The first difference.
        what: String,
    },
    /// A split without an image where one is needed.
    #[error("{task}: no {split} images")]
    NoImages {
        /// The task.
        task: String,
        /// The split.
        split: &'static str,
    },
    /// A task, a method and options that do not go together.
    #[error("{what}")]
    Incompatible {
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },
    /// Features or scores that are no numbers.
    #[error("{what} became no number (NaN or infinite)")]
    NotFinite {
        /// Whose features or scores, such as `the features of cat/1.jpg`.
        what: String,
    },
    /// The threads could not be started.
    #[error("starting {threads} threads: {what}")]
    Threads {
        /// How many.
        threads: usize,
        /// Why not.
        what: String,
    },
}

impl AdapterError {
    /// The way out of this error, where one is known.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Io(error) => return files::write_hint(error).map(str::to_owned),
            Self::Clip(error) => return error.hint(),
            Self::Data(error) => return error.hint(),
            Self::Method(error) => return error.hint(),
            Self::NoPrompt { hint, .. } => hint.clone(),
            Self::WrongModel { tuned_for, .. } => {
                format!("use {tuned_for}, or --force it if you know that the models are alike")
            }
            Self::NotFinite { .. } => {
                "tune anew with a lower --lr; where nothing was tuned, check the model with `vlpt model check`"
                    .to_owned()
            }
            Self::Changed { .. } => "bring the file back, or, of a run, remove the prompt folder and resume the run; a change that \
                 is meant to be is taken when checksums.sha256 beside it is removed"
                .to_owned(),
            Self::Incompatible { hint, .. } => return hint.clone(),
            _ => return None,
        };
        Some(hint)
    }
}
