//! What both towers are made of.

mod block;
mod gradient;
mod head;
mod tape;

pub(crate) use block::{Adapting, AttentionGradient, Block, GradientRows, QueryRows, Taping};
pub(crate) use gradient::Gradient;
pub(crate) use head::FeatureProjection;
pub(crate) use tape::{BlockTape, CheckpointPolicy, SavedActivations, TapeBytes};

use vlpt_kernels::{Arena, Buffer, LayerNorm, gather_rows};

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

/// Some rows of a matrix.
fn pick(arena: &Arena, from: &[f32], width: usize, rows: &[u32]) -> Buffer<f32> {
    let mut to = arena.floats(rows.len() * width);
    gather_rows(from, width, rows, &mut to);
    to
}

/// Floats of a slice, in bytes.
pub(crate) fn bytes_of(floats: &[f32]) -> usize {
    size_of_val(floats)
}
