//! A transformer block of CLIP's kind.

use vlpt_autograd::Tensor;

use crate::nn::{Builder, LayerNorm, Linear, SelfAttention};
use crate::upt::Attention;
use crate::{Pass, Result};

/// A pre-norm block: `x + attention(ln_1(x))`, then `x + c_proj(quick_gelu(c_fc(ln_2(x))))`,
/// where the hidden layer is four times as wide. The parameters are named as in CLIP: `attn.*`,
/// `ln_1.*`, `mlp.c_fc.*`, `mlp.c_proj.*`, `ln_2.*`.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    attention: SelfAttention,
    ln_1: LayerNorm,
    c_fc: Linear,
    c_proj: Linear,
    ln_2: LayerNorm,
}

impl Block {
    /// PyTorch's initial values of each part; `heads` divides `width`.
    pub(crate) fn new(
        builder: &mut Builder,
        name: &str,
        width: usize,
        heads: usize,
        kind: Attention,
    ) -> Result<Self> {
        let part = |part: &str| format!("{name}.{part}");
        Ok(Self {
            attention: SelfAttention::new(builder, &part("attn"), width, heads, kind)?,
            ln_1: LayerNorm::new(builder, &part("ln_1"), width)?,
            c_fc: Linear::new(builder, &part("mlp.c_fc"), width, 4 * width)?,
            c_proj: Linear::new(builder, &part("mlp.c_proj"), 4 * width, width)?,
            ln_2: LayerNorm::new(builder, &part("ln_2"), width)?,
        })
    }

    /// (tokens x width) to the same, without dropout.
    pub(crate) fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let mixed = self
            .attention
            .forward(&self.ln_1.forward(x)?, 0.0, &Pass::EVAL, "")?;
        let x = (x + mixed)?;
        let hidden = self.c_fc.forward(&self.ln_2.forward(&x)?)?.quick_gelu();
        Ok((&x + self.c_proj.forward(&hidden)?)?)
    }
}
