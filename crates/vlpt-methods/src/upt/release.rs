//! The network of UPT's published code.

use vlpt_autograd::Tensor;

use super::Halves;
use super::options::Plan;
use crate::context::INIT_DEVIATION;
use crate::dropout::dropout;
use crate::nn::{Builder, Init, LayerNorm, Linear, SelfAttention};
use crate::{Pass, Result};

/// Tokens of the text tower's width, and a block that keeps it:
///
/// ```text
/// x = norm1(x + drop(attn(x)))
/// x = x + drop(linear2(drop(relu(linear1(norm2(x))))))
/// ```
///
/// Weights of the attention are dropped too. The published code runs the block once for each
/// modality, with masks of their own; running it once is the same in distribution token by token,
/// and in evaluation.
#[derive(Debug, Clone)]
pub(super) struct Release {
    uni_ctx: Tensor,
    attention: SelfAttention,
    norm1: LayerNorm,
    norm2: LayerNorm,
    linear1: Linear,
    linear2: Linear,
    visual_proj: Linear,
    /// Tokens that are text prompts, the first ones.
    texts: usize,
    dropout: f64,
}

impl Release {
    pub(super) fn new(builder: &mut Builder, plan: &Plan) -> Result<Self> {
        let width = plan.width;
        let texts = plan.context.rows();
        let tokens = texts + plan.layers * plan.count;
        let values = builder
            .stream("uni_ctx")
            .normals(tokens * width, INIT_DEVIATION);
        Ok(Self {
            uni_ctx: builder.parameter("uni_ctx", &[1, tokens, width], Init::Values(values))?,
            attention: SelfAttention::new(builder, "attn", width, plan.heads, plan.attention)?,
            norm1: LayerNorm::new(builder, "norm1", width)?,
            norm2: LayerNorm::new(builder, "norm2", width)?,
            linear1: Linear::new(builder, "linear1", width, width)?,
            linear2: Linear::new(builder, "linear2", width, width)?,
            visual_proj: Linear::new(builder, "visual_proj", width, plan.vision_width)?,
            texts,
            dropout: plan.dropout,
        })
    }

    pub(super) fn forward(&self, pass: &Pass) -> Result<Halves> {
        let drop = |x: &Tensor, purpose: &str| dropout(x, self.dropout, pass, purpose);
        let x = self.uni_ctx.squeeze(0)?;
        let mixed = self
            .attention
            .forward(&x, self.dropout, pass, "upt.dropout.weights")?;
        let x = (x + drop(&mixed, "upt.dropout.attention")?)?;
        let x = self.norm1.forward(&x)?;
        let hidden = self.linear1.forward(&self.norm2.forward(&x)?)?.relu();
        let hidden = drop(&hidden, "upt.dropout.hidden")?;
        let out = drop(&self.linear2.forward(&hidden)?, "upt.dropout.out")?;
        let x = (x + out)?;
        let text = x.narrow(0, 0, self.texts)?;
        let visual = x.narrow(0, self.texts, x.shape()[0] - self.texts)?;
        Ok(Halves {
            text,
            visual: self.visual_proj.forward(&visual)?,
        })
    }
}
