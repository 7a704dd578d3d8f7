//! A linear layer.

use vlpt_autograd::Tensor;

use crate::Result;
use crate::nn::{Builder, Init};

/// `x W^T + b`, with the parameters `weight` (outputs x inputs) and `bias` (outputs).
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Tensor,
    bias: Tensor,
}

impl Linear {
    /// PyTorch's initial values: weight and bias uniform within 1 / sqrt(inputs).
    pub(crate) fn new(
        builder: &mut Builder,
        name: &str,
        inputs: usize,
        outputs: usize,
    ) -> Result<Self> {
        let bound = 1.0 / (inputs as f64).sqrt();
        Self::with_bias(builder, name, inputs, outputs, Init::Uniform(bound))
    }

    /// As [`Linear::new`], with a bias that starts at `bias`.
    pub(crate) fn with_bias(
        builder: &mut Builder,
        name: &str,
        inputs: usize,
        outputs: usize,
        bias: Init,
    ) -> Result<Self> {
        let bound = 1.0 / (inputs as f64).sqrt();
        let weight = builder.parameter(
            &format!("{name}.weight"),
            &[outputs, inputs],
            Init::Uniform(bound),
        )?;
        let bias = builder.parameter(&format!("{name}.bias"), &[outputs], bias)?;
        Ok(Self { weight, bias })
    }

    /// Of a weight (outputs x inputs) and a bias (outputs) that start otherwise.
    pub(crate) fn of(weight: Tensor, bias: Tensor) -> Self {
        Self { weight, bias }
    }

    /// (tokens x inputs) to (tokens x outputs).
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        affine(x, &self.weight, &self.bias)
    }
}

/// `x W^T + b`.
pub(crate) fn affine(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    Ok(x.matmul_nt(weight)?.add(bias)?)
}
