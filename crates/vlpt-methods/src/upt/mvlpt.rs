//! MVLPT's network: through a narrow block and back.

use vlpt_autograd::Tensor;

use super::Halves;
use super::options::Plan;
use crate::context::Words;
use crate::dropout::dropout;
use crate::nn::{Block, Builder, Init, Linear};
use crate::visual::initial_bound;
use crate::{Pass, Result};

/// Tokens of the towers' widths, and linear layers into and out of a block of another width. No
/// residual goes around the block's linear layers: the towers see the tokens through it alone.
#[derive(Debug, Clone)]
pub(super) struct Mvlpt {
    ctx: Tensor,
    /// (1 x count x vision width), and that of the other blocks.
    visual: Vec<Tensor>,
    text_ends: Ends,
    visual_ends: Ends,
    block: Block,
    dropout: f64,
}

/// The linear layers into and out of the block; none where the widths are equal.
#[derive(Debug, Clone)]
struct Ends(Option<(Linear, Linear)>);

impl Ends {
    fn new(builder: &mut Builder, name: &str, outer: usize, inner: usize) -> Result<Self> {
        if outer == inner {
            return Ok(Self(None));
        }
        let pre = Linear::new(builder, &format!("{name}_pre"), outer, inner)?;
        let post = Linear::new(builder, &format!("{name}_post"), inner, outer)?;
        Ok(Self(Some((pre, post))))
    }

    fn enter(&self, x: &Tensor) -> Result<Tensor> {
        match &self.0 {
            Some((pre, _)) => pre.forward(x),
            None => Ok(x.clone()),
        }
    }

    fn leave(&self, x: &Tensor) -> Result<Tensor> {
        match &self.0 {
            Some((_, post)) => post.forward(x),
            None => Ok(x.clone()),
        }
    }
}

impl Mvlpt {
    pub(super) fn new(builder: &mut Builder, plan: &Plan, words: &Words) -> Result<Self> {
        let (dt, dv) = (plan.text_width, plan.vision_width);
        let values = plan.context.initial(words, dt, builder.stream("ctx"));
        let ctx = builder.parameter("ctx", &plan.context.shape(dt), Init::Values(values))?;
        let bound = initial_bound(plan.patch, dv);
        let mut visual = vec![builder.parameter(
            "vpt_embeddings",
            &[1, plan.count, dv],
            Init::Uniform(bound),
        )?];
        if plan.layers > 1 {
            visual.push(builder.parameter(
                "vpt_embeddings_deep",
                &[plan.layers - 1, plan.count, dv],
                Init::Uniform(bound),
            )?);
        }
        Ok(Self {
            ctx,
            visual,
            text_ends: Ends::new(builder, "mvlpt_proj_ctx_coop", dt, plan.width)?,
            visual_ends: Ends::new(builder, "mvlpt_proj_ctx_vpt", dv, plan.width)?,
            block: Block::new(
                builder,
                "mvlpt_proj.resblocks.0",
                plan.width,
                plan.heads,
                plan.attention,
            )?,
            dropout: plan.dropout,
        })
    }

    pub(super) fn forward(&self, pass: &Pass) -> Result<Halves> {
        let (text, visual) = (rows(&self.ctx)?, rows(&Tensor::cat(&self.visual, 0)?)?);
        let ([texts, _], [visuals, _]) = (text.dims()?, visual.dims()?);
        let tokens = Tensor::cat(
            &[
                self.text_ends.enter(&text)?,
                self.visual_ends.enter(&visual)?,
            ],
            0,
        )?;
        let tokens = self.block.forward(&tokens)?;
        let text = self.text_ends.leave(&tokens.narrow(0, 0, texts)?)?;
        let visual = self.visual_ends.leave(&tokens.narrow(0, texts, visuals)?)?;
        Ok(Halves {
            text,
            visual: dropout(&visual, self.dropout, pass, "upt.dropout")?,
        })
    }
}

/// Tokens in groups as one matrix, a token a row.
fn rows(tokens: &Tensor) -> Result<Tensor> {
    match tokens.shape() {
        [groups, count, width] => Ok(tokens.reshape(&[groups * count, *width])?),
        _ => Ok(tokens.clone()),
    }
}
