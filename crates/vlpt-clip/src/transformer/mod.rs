//! What both towers are made of.

mod block;
mod gradient;
mod head;

pub(crate) use block::{Asking, Block, BlockTape, Taping, Wanted};
pub(crate) use gradient::Gradient;
pub(crate) use head::Head;

use vlpt_kernels::LayerNorm;

use crate::config::Activation;
use crate::weights::LayerNormWeights;

impl From<Activation> for vlpt_kernels::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::QuickGelu => Self::QuickGelu,
            Activation::Gelu => Self::Gelu,
        }
    }
}

pub(crate) fn layer_norm(weights: LayerNormWeights, eps: f32) -> LayerNorm {
    LayerNorm::new(weights.weight, weights.bias, eps)
}

/// Floats of a slice, in bytes.
pub(crate) fn bytes_of(floats: &[f32]) -> usize {
    size_of_val(floats)
}
