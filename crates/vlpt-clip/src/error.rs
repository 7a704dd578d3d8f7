//! What can go wrong between a model's name and a model in memory.

/// The result type of this crate.
pub type Result<T, E = ClipError> = std::result::Result<T, E>;

/// Every error of this crate. The message says what was found and what was expected;
/// [`ClipError::hint`] says the way out, where one is known.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    /// A file could not be read or written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),

    /// A configuration file says something impossible, or does not say something needed.
    #[error("{file}: {what}")]
    Config {
        /// The file, as the user can find it.
        file: String,
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },

    /// The file is a model, but of a kind that this program does not run.
    #[error("{file}: {what} is not supported")]
    Unsupported {
        /// The file that says so.
        file: String,
        /// The unsupported thing, by its name.
        what: String,
        /// The way out.
        hint: Option<String>,
    },

    /// A weight file's container (safetensors, zip) is damaged or lies about its sizes.
    #[error("{file}: {what}")]
    WeightFile {
        /// The weight file.
        file: String,
        /// What was found and what was expected.
        what: String,
        /// The way out.
        hint: Option<String>,
    },

    /// A pickle asks for something outside the short list that plain tensors need.
    #[error("{file}: pickle refused at byte {position}: {what}")]
    Pickle {
        /// The weight file, and the entry inside it.
        file: String,
        /// Byte position of the refused instruction inside the pickle.
        position: u64,
        /// The instruction or global, by its name, and why it is refused.
        what: String,
    },

    /// The tensors of a file do not fit its configuration. The first problems are listed at once.
    #[error("{file}: {} of the tensors do not fit the configuration:\n  {}", problems.len(), vlpt_base::list::cut(problems, "\n  "))]
    Tensors {
        /// The weight file.
        file: String,
        /// One line for each missing, unexpected or misshapen tensor.
        problems: Vec<String>,
    },

    /// A needed file is neither in the folder nor in the repository.
    #[error("{place}: no {wanted}")]
    MissingFile {
        /// The folder or repository.
        place: String,
        /// The file names that would have done.
        wanted: String,
        /// The way out.
        hint: Option<String>,
    },

    /// A model name that is no folder, no repository and no known model.
    #[error("unknown model name {name:?}")]
    UnknownName {
        /// The name as given.
        name: String,
        /// The nearest known names, best first.
        suggestions: Vec<String>,
    },

    /// The hub, or the way to it, failed.
    #[error("{repo}: {what}")]
    Hub {
        /// The repository and revision.
        repo: String,
        /// What happened.
        what: String,
        /// The way out.
        hint: Option<String>,
    },

    /// A text has more tokens than the model has positions.
    #[error(
        "text has {tokens} tokens, the model takes {limit}: {:?}",
        beginning(text)
    )]
    TextTooLong {
        /// The text as given, of which the message shows the beginning.
        text: String,
        /// Its tokens, start and end of text included.
        tokens: usize,
        /// The context length.
        limit: usize,
    },

    /// A vocabulary or merge list that is not a CLIP tokenizer.
    #[error("tokenizer vocabulary: {0}")]
    Vocabulary(String),
}

impl ClipError {
    /// The way out of this error, as one sentence, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Config { hint, .. }
            | Self::Unsupported { hint, .. }
            | Self::WeightFile { hint, .. }
            | Self::MissingFile { hint, .. }
            | Self::Hub { hint, .. } => hint.clone(),
            Self::Io(_) | Self::Vocabulary(_) => None,
            Self::Pickle { .. } => Some(
                "only plain tensors are read from pickles and nothing in them is ever run; \
                 convert a file you trust to safetensors with the program that wrote it"
                    .to_owned(),
            ),
            Self::Tensors { .. } => {
                Some("check that the configuration and the weights belong together".to_owned())
            }
            Self::UnknownName { suggestions, .. } if suggestions.is_empty() => Some(
                "give a folder, a hub repository such as openai/clip-vit-base-patch16, \
                 an OpenCLIP name such as ViT-B-16/openai, or mini-clip"
                    .to_owned(),
            ),
            Self::UnknownName { suggestions, .. } => {
                Some(format!("did you mean {}?", suggestions.join(" or ")))
            }
            Self::TextTooLong { .. } => {
                Some("shorten the text, or ask for it to be cut".to_owned())
            }
        }
    }

    /// A [`ClipError::Config`] without a hint.
    pub(crate) fn config(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Config {
            file: file.into(),
            what: what.into(),
            hint: None,
        }
    }

    /// A [`ClipError::WeightFile`] without a hint.
    pub(crate) fn weight_file(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self::WeightFile {
            file: file.into(),
            what: what.into(),
            hint: None,
        }
    }
}

/// As much of a text as a message shows: a text from elsewhere may have millions of characters.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}
