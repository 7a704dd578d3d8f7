//! The towers, heads and the preprocessing as graphs.

mod block;
mod head;
mod preprocess;
mod text;
mod vision;

pub(crate) use head::{HeadMatrices, LinearMap, head, probabilities};
pub(crate) use preprocess::preprocess;
pub(crate) use text::text;
pub(crate) use vision::{ImageNet, vision};
