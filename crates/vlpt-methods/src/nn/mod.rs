//! Small network layers for methods that learn more than tokens.
//!
//! Rows are tokens: every layer takes and gives (tokens x width). Names, shapes and initial values
//! of the parameters are PyTorch's, so that published checkpoints can be read.

mod attention;
mod block;
mod builder;
mod linear;
mod norm;

pub(crate) use attention::SelfAttention;
pub(crate) use block::Block;
pub(crate) use builder::{Builder, Init};
pub(crate) use linear::Linear;
pub(crate) use norm::LayerNorm;
