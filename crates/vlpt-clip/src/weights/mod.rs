//! Weights as plain f32 matrices, whatever file they came from.

pub(crate) mod assemble;
mod checkpoint;
pub(crate) mod dtype;
pub(crate) mod fingerprint;
pub(crate) mod layout;
mod legacy;
mod opened;
mod pickle;
pub(crate) mod safetensors;
pub(crate) mod store;
pub(crate) mod torch;

pub use checkpoint::{Checkpoint, CheckpointTensor};

/// A tensor as a file holds it, converted to f32, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Length of each dimension, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// The values, `shape.iter().product()` of them.
    pub data: Vec<f32>,
}

/// A linear layer `y = W x + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearWeights {
    /// `out x in`, row-major.
    pub weight: Vec<f32>,
    /// `out`.
    pub bias: Vec<f32>,
}

/// A layer norm's scale and shift.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNormWeights {
    /// `width`.
    pub weight: Vec<f32>,
    /// `width`.
    pub bias: Vec<f32>,
}

/// One pre-norm residual block: `x += out(attention(ln_1(x)))`, `x += fc2(act(fc1(ln_2(x))))`.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockWeights {
    /// Before the attention.
    pub ln_1: LayerNormWeights,
    /// `3 width x width`: query rows, then key rows, then value rows.
    pub qkv: LinearWeights,
    /// `width x width`.
    pub out: LinearWeights,
    /// Before the MLP.
    pub ln_2: LayerNormWeights,
    /// `mlp x width`.
    pub fc1: LinearWeights,
    /// `width x mlp`.
    pub fc2: LinearWeights,
}

/// The text tower.
#[derive(Clone, Debug, PartialEq)]
pub struct TextWeights {
    /// `vocab x width`.
    pub token_embedding: Vec<f32>,
    /// `context_length x width`.
    pub positional_embedding: Vec<f32>,
    /// In order of depth.
    pub blocks: Vec<BlockWeights>,
    /// After the last block.
    pub ln_final: LayerNormWeights,
    /// `width x embed`.
    pub projection: Vec<f32>,
}

/// The image tower.
#[derive(Clone, Debug, PartialEq)]
pub struct VisionWeights {
    /// `width x (3 p p)`: channel, then row, then column of the patch.
    pub patch: Vec<f32>,
    /// `width`.
    pub class_embedding: Vec<f32>,
    /// `tokens x width`, class token first, then patches row by row.
    pub positional_embedding: Vec<f32>,
    /// Before the first block.
    pub ln_pre: LayerNormWeights,
    /// In order of depth.
    pub blocks: Vec<BlockWeights>,
    /// On the class token after the last block.
    pub ln_post: LayerNormWeights,
    /// `width x embed`.
    pub projection: Vec<f32>,
}

/// A whole model.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipWeights {
    /// The text tower.
    pub text: TextWeights,
    /// The image tower.
    pub vision: VisionWeights,
    /// As stored: the natural logarithm of the logit scale.
    pub logit_scale: f32,
}
