//! What can go wrong in an export.

use thiserror::Error;
use vlpt_base::files;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, ExportError>;

/// Every error of this crate. The message says what was found and what was expected;
/// [`ExportError::hint`] says the way out, where one is known.
#[derive(Debug, Error)]
pub enum ExportError {
    /// A file could not be written; the message names its path.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The model.
    #[error(transparent)]
    Clip(#[from] vlpt_clip::ClipError),
    /// The prompt folder, its classifier or the towers.
    #[error(transparent)]
    Adapter(#[from] vlpt_adapter::AdapterError),
    /// The prompt method.
    #[error(transparent)]
    Method(#[from] vlpt_methods::MethodError),
    /// Something that the form asked for cannot hold.
    #[error("{what}")]
    Unsupported {
        /// What it is, and what cannot hold it.
        what: String,
        /// The way out.
        hint: String,
    },
    /// A graph that does not compute what the towers do.
    #[error(
        "{graph}: {what} differ by {found:.1e} from this program's own: expected at most {allowed:.0e}; nothing was written"
    )]
    Differs {
        /// The graph.
        graph: String,
        /// What was compared.
        what: &'static str,
        /// The largest difference.
        found: f64,
        /// The largest that is taken.
        allowed: f64,
    },
    /// A graph that cannot be run: an operator or a shape that the interpreter does not know.
    #[error("the graph's node {node} cannot be run: {what}")]
    Node {
        /// Operator and output.
        node: String,
        /// Why.
        what: String,
    },
}

impl ExportError {
    /// Something that a form cannot hold, with the way out.
    pub(crate) fn unsupported(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            hint: hint.into(),
        }
    }

    /// The way out of this error, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io(error) => files::write_hint(error).map(str::to_owned),
            Self::Clip(error) => error.hint(),
            Self::Adapter(error) => error.hint(),
            Self::Method(error) => error.hint(),
            Self::Unsupported { hint, .. } => Some(hint.clone()),
            Self::Differs { .. } => Some(
                "this is a fault of the program, or a model with numbers that f32 does not hold; `vlpt \
                 model check` looks at the latter"
                    .to_owned(),
            ),
            Self::Node { .. } => None,
        }
    }
}
