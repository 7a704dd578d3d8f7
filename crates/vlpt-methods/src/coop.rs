//! CoOp: context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models",
//! IJCV 2022).
//!
//! A class's text is learned context tokens and the class's name. The context is shared by all
//! classes (unified) or each class has its own (class-specific).

use serde::{Deserialize, Serialize};
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, Slot, Tokenizer};

use crate::context::{Context, ContextOptions, Keys, Words};
use crate::{Parameter, Pass, Position, PromptMethod, Prompts, Result};

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 16;
const KEYS: Keys = Keys {
    count: "coop.context",
    class_specific: "coop.class_specific",
};

/// Options of [`CoOp`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoOpConfig {
    /// Number of context tokens; left out, as many as `init` has, or 16.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<usize>,
    /// One context for each class instead of one for all.
    pub class_specific: bool,
    /// Where the class name stands.
    pub position: Position,
    /// Words whose embeddings start the context, such as `a photo of a`; empty: random.
    pub init: String,
}

/// A unified or class-specific learned context, the parameter `ctx`: (n x width), or
/// (classes x n x width).
#[derive(Debug, Clone)]
pub struct CoOp {
    parameters: Vec<Parameter>,
    context: Context,
}

impl CoOp {
    /// A context with its initial values: the embeddings of the words of `config.init` (before
    /// positions are added), or random values of N(0, 0.02) from `seed`.
    ///
    /// # Errors
    /// A context of length 0, or a length that differs from the number of initial words' tokens.
    pub fn new(config: &CoOpConfig, clip: &Clip, classes: usize, seed: u64) -> Result<Self> {
        let width = clip.config.text.width;
        let words = Words::new(clip, &config.init);
        let context = Context::new(&ContextOptions {
            keys: KEYS,
            count: config.context,
            default: DEFAULT_CONTEXT,
            words: &words,
            classes: config.class_specific.then_some(classes),
            position: config.position,
            limit: clip.config.text.context_length,
        })?;
        let values = context.initial(&words, width, Stream::new(seed, "coop.ctx"));
        Ok(Self {
            parameters: vec![Parameter::new("ctx", &context.shape(width), values)?],
            context,
        })
    }

    /// Number of context tokens.
    pub fn context(&self) -> usize {
        self.context.count()
    }
}

impl PromptMethod for CoOp {
    fn name(&self) -> &'static str {
        "coop"
    }

    fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    fn texts(&self, tokenizer: &Tokenizer, classes: &[String]) -> Result<Vec<Vec<Slot>>> {
        self.context.texts(tokenizer, classes)
    }

    fn prompts(&self, _pass: &Pass) -> Result<Prompts> {
        let context = self.parameters[0].var().as_tensor();
        let text = match context.dims() {
            [classes, n, width] => context.reshape((classes * n, *width))?,
            _ => context.clone(),
        };
        Ok(Prompts {
            text: Some(text),
            visual: None,
        })
    }
}
