//! Self-attention over learned tokens, joint or token by token.

use vlpt_autograd::Tensor;

use crate::dropout::dropout;
use crate::nn::linear::affine;
use crate::nn::{Builder, Init, Linear};
use crate::upt::Attention;
use crate::{Pass, Result};

/// Multi-head self-attention with PyTorch's parameters: `in_proj_weight` (3 width x width; queries,
/// keys, values), `in_proj_bias`, `out_proj.weight` and `out_proj.bias`.
#[derive(Debug, Clone)]
pub(crate) struct SelfAttention {
    in_weight: Tensor,
    in_bias: Tensor,
    out: Linear,
    width: usize,
    heads: usize,
    kind: Attention,
}

impl SelfAttention {
    /// PyTorch's initial values: Glorot-uniform for queries, keys and values together, the
    /// default of a linear layer for the output's weight, and biases of zero.
    ///
    /// `heads` divides `width`.
    pub(crate) fn new(
        builder: &mut Builder,
        name: &str,
        width: usize,
        heads: usize,
        kind: Attention,
    ) -> Result<Self> {
        let bound = (6.0 / (4 * width) as f64).sqrt();
        let in_weight = builder.parameter(
            &format!("{name}.in_proj_weight"),
            &[3 * width, width],
            Init::Uniform(bound),
        )?;
        let in_bias = builder.parameter(
            &format!("{name}.in_proj_bias"),
            &[3 * width],
            Init::Constant(0.0),
        )?;
        let out = Linear::with_bias(
            builder,
            &format!("{name}.out_proj"),
            width,
            width,
            Init::Constant(0.0),
        )?;
        Ok(Self {
            in_weight,
            in_bias,
            out,
            width,
            heads,
            kind,
        })
    }

    /// (tokens x width) to the same; `rate` of the attention weights are dropped in training.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        rate: f64,
        pass: &Pass,
        purpose: &str,
    ) -> Result<Tensor> {
        let mixed = match self.kind {
            Attention::Joint => self.joint(x, rate, pass, purpose)?,
            Attention::Tokenwise => self.tokenwise(x, rate, pass, purpose)?,
        };
        self.out.forward(&mixed)
    }

    /// Every token looks at all tokens: softmax(q k^T / sqrt(width of a head)) v in each head.
    fn joint(&self, x: &Tensor, rate: f64, pass: &Pass, purpose: &str) -> Result<Tensor> {
        let head = self.width / self.heads;
        let projected = affine(x, &self.in_weight, &self.in_bias)?;
        let scale = 1.0 / (head as f64).sqrt();
        let mut scores = Vec::with_capacity(self.heads);
        for index in 0..self.heads {
            let queries = projected.narrow(1, index * head, head)? * scale;
            let keys = projected.narrow(1, self.width + index * head, head)?;
            scores.push(queries.matmul_nt(&keys)?);
        }
        let weights = Tensor::stack(&scores, 0)?.softmax()?;
        let weights = dropout(&weights, rate, pass, purpose)?;
        let mut mixed = Vec::with_capacity(self.heads);
        for index in 0..self.heads {
            let values = projected.narrow(1, 2 * self.width + index * head, head)?;
            mixed.push(weights.select(0, index)?.matmul(&values)?);
        }
        Ok(Tensor::cat(&mixed, 1)?)
    }

    /// Every token is a sequence of length one. The softmax over one key is 1, so what is left
    /// of attention is the projection of the values; queries and keys have a gradient of zero.
    fn tokenwise(&self, x: &Tensor, rate: f64, pass: &Pass, purpose: &str) -> Result<Tensor> {
        let values = affine(
            x,
            &self.in_weight.narrow(0, 2 * self.width, self.width)?,
            &self.in_bias.narrow(0, 2 * self.width, self.width)?,
        )?;
        if rate == 0.0 || pass.step.is_none() {
            return Ok(values);
        }
        let ([tokens, _], head) = (x.dims()?, self.width / self.heads);
        let ones = Tensor::ones(&[tokens, self.heads, 1])?;
        let weights = dropout(&ones, rate, pass, purpose)?;
        Ok(values
            .reshape(&[tokens, self.heads, head])?
            .mul(&weights)?
            .reshape(&[tokens, self.width])?)
    }
}
