//! Layer normalisation.

use vlpt_autograd::Tensor;

use crate::Result;
use crate::nn::{Builder, Init};

/// Added to the variance, PyTorch's default.
const EPSILON: f64 = 1e-5;

/// `(x - mean) / sqrt(variance + epsilon) * weight + bias` within each row.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    weight: Tensor,
    bias: Tensor,
}

impl LayerNorm {
    /// The parameters `weight` of ones and `bias` of zeros.
    pub(crate) fn new(builder: &mut Builder, name: &str, width: usize) -> Result<Self> {
        let mut parameter = |part: &str, value| {
            builder.parameter(&format!("{name}.{part}"), &[width], Init::Constant(value))
        };
        Ok(Self {
            weight: parameter("weight", 1.0)?,
            bias: parameter("bias", 0.0)?,
        })
    }

    /// Keeps the shape.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        Ok(x.layer_norm(&self.weight, &self.bias, EPSILON)?)
    }
}
