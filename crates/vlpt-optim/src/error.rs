//! Gradients and states that do not belong to what is optimised.

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, OptimError>;

/// What was found and what was expected.
#[derive(Debug, Error)]
pub enum OptimError {
    /// A parameter and the state kept for it have different lengths.
    #[error("parameter `{name}` has {len} values, but the optimiser's state holds {found}")]
    StateLength {
        /// The parameter.
        name: String,
        /// Its number of values.
        len: usize,
        /// That of the state.
        found: usize,
    },
    /// A parameter and its gradient have different lengths.
    #[error("parameter `{name}` has {len} values, but its gradient {found}")]
    GradientLength {
        /// The parameter.
        name: String,
        /// Its number of values.
        len: usize,
        /// That of the gradient.
        found: usize,
    },
    /// A saved state of another optimiser.
    #[error("the saved state is not that of {optimizer}: it holds `{key}`")]
    OtherState {
        /// The optimiser that should go on.
        optimizer: String,
        /// What it does not know.
        key: String,
    },
}

impl OptimError {
    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::OtherState { .. } => {
                Some("resume with the optimiser that the run was started with".to_owned())
            }
            Self::StateLength { .. } | Self::GradientLength { .. } => None,
        }
    }
}
