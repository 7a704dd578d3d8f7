//! What both methods have: the tokens, where their rows enter, the texts and the terms of the loss.

use vlpt_autograd::Tensor;
use vlpt_clip::{Clip, ClipConfig, PromptToken, TextPlanOptions, Tokenizer};

use super::MmrlConfig;
use crate::baselines::zero_shot::ensemble;
use crate::context::INIT_DEVIATION;
use crate::nn::{Builder, Init};
use crate::{Features, Fusion, Needs, PromptTensor, Result, TowerTensors, template_texts};

/// A table of representation tokens, and what is done with its rows in both towers.
#[derive(Debug, Clone)]
pub(super) struct Representation {
    config: MmrlConfig,
    /// Tokens x width.
    pub(super) tokens: Tensor,
    /// The first block with rows, and the number of blocks, of the text and of the image tower.
    pub(super) text: Span,
    pub(super) visual: Span,
    /// The share of the rows before that stays.
    carry: f32,
}

/// Blocks of a tower that get rows, up to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) first: usize,
    pub(super) blocks: usize,
}

pub(super) fn needs() -> Needs {
    Needs {
        pixels: true,
        frozen_features: true,
        ..Needs::default()
    }
}

impl Representation {
    /// Tokens that start from N(0, 0.02), the parameter `tokens`.
    pub(super) fn new(
        config: &MmrlConfig,
        model: &ClipConfig,
        carry: f32,
        builder: &mut Builder,
    ) -> Result<Self> {
        config.check()?;
        let [text, visual] = config.first_blocks(model)?;
        let span = |first: usize, layers: usize| Span {
            first,
            blocks: layers - first,
        };
        let shape = [config.tokens, config.width];
        let values = builder
            .stream("tokens")
            .normals(config.tokens * config.width, INIT_DEVIATION);
        Ok(Self {
            config: config.clone(),
            tokens: builder.parameter("tokens", &shape, Init::Values(values))?,
            text: span(text, model.text.layers),
            visual: span(visual, model.vision.layers),
            carry,
        })
    }

    /// Rows (of each block tokens x width) as a tower takes them.
    pub(super) fn prompts(&self, span: Span, rows: &[Tensor]) -> Result<TowerTensors> {
        Ok(TowerTensors::prompts(PromptTensor {
            first: span.first,
            carry: self.carry,
            ..PromptTensor::deep(Tensor::stack(rows, 0)?)
        }))
    }

    /// The template with the name in it, and the rows' places behind the start token.
    pub(super) fn texts(
        &self,
        tokenizer: &Tokenizer,
        classes: &[String],
    ) -> Result<Vec<Vec<PromptToken>>> {
        let mut texts = template_texts(tokenizer, &self.config.template, classes)?;
        let rows = (0..self.config.tokens as u32).map(PromptToken::Learned);
        for text in &mut texts {
            text.splice(1..1, rows.clone());
        }
        Ok(texts)
    }

    pub(super) fn text_plan(&self) -> TextPlanOptions {
        TextPlanOptions {
            first: self.text.first,
            blocks: self.text.blocks,
            carries: self.carry > 0.0,
            ..TextPlanOptions::default()
        }
    }

    /// The frozen model's features of the same texts without rows.
    pub(super) fn teacher(&self, clip: &Clip, classes: &[String]) -> Result<Vec<f32>> {
        let templates = std::slice::from_ref(&self.config.template);
        ensemble(clip, classes, templates, false)
    }

    /// `lambda (1 - mean cos(g, g0))` of the texts, or the part of `lambda (1 - mean cos(f, f0))` that
    /// some of a batch's images add.
    pub(super) fn regulariser(&self, features: &Features) -> Result<Tensor> {
        let (tuned, frozen, of) = match &features.images {
            None => (
                features.texts,
                features.frozen_texts,
                features.texts.dims::<2>()?[0],
            ),
            Some(images) => (images.tuned, images.frozen, images.batch),
        };
        let [rows, _] = tuned.dims()?;
        let share = self.config.lambda / of as f64;
        Ok(tuned.mul(frozen)?.sum_all() * -share + share * rows as f64)
    }

    pub(super) fn fusion(&self) -> Fusion {
        Fusion {
            share: self.config.alpha,
            classes: self.config.fused,
        }
    }
}
