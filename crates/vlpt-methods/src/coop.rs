//! CoOp: context optimisation (Zhou et al., "Learning to Prompt for Vision-Language Models",
//! IJCV 2022).
//!
//! A class's text is learned context tokens and the class's name. The context is shared by all
//! classes (unified) or each class has its own (class-specific). Layouts, as the published code
//! builds them, where `n` is the context length:
//!
//! ```text
//! end:     start | ctx 1..n           | name | . end
//! middle:  start | ctx 1..n/2 | name | ctx n/2+1..n | . end
//! front:   start | name | ctx 1..n    | . end
//! ```
//!
//! The full stop is part of the tokenised text, so a name that ends in punctuation can fuse with
//! it into one token (`..`, `).`): the text `X X ... X name.` is tokenised whole and cut after the
//! number of tokens that the bare name has, so the fused token stays with the name.

use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, Slot, Tokenizer};

use crate::rng::Stream;
use crate::{MethodError, Parameter, Pass, PromptMethod, Prompts, Result, class_text};

/// Context length when neither a length nor initial words are given.
const DEFAULT_CONTEXT: usize = 16;
/// Standard deviation of a random initial context.
const INIT_DEVIATION: f64 = 0.02;
/// One token in every CLIP vocabulary; stands for a learned token while the text is tokenised.
const PLACEHOLDER: &str = "X";

/// Where the class name stands among the context tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Position {
    /// After the context.
    #[default]
    End,
    /// Between the first half of the context (rounded down) and the rest.
    Middle,
    /// Before the context.
    Front,
}

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
    context: usize,
    classes: Option<usize>,
    position: Position,
}

impl CoOp {
    /// A context with its initial values: the embeddings of the words of `config.init` (before
    /// positions are added), or random values of N(0, 0.02) from `seed`.
    ///
    /// # Errors
    /// A context of length 0, or a length that differs from the number of initial words' tokens.
    pub fn new(config: &CoOpConfig, clip: &Clip, classes: usize, seed: u64) -> Result<Self> {
        let width = clip.config.text.width;
        let words = clip.tokenizer.bpe(&class_text(&config.init));
        let context = match (config.context, words.len()) {
            (None, 0) => DEFAULT_CONTEXT,
            (Some(0), _) => {
                return Err(MethodError::Option {
                    key: "coop.context",
                    found: "0".to_owned(),
                    expected: "at least 1".to_owned(),
                });
            }
            (Some(n), 0) | (None, n) => n,
            (Some(n), tokens) if n == tokens => n,
            (Some(context), tokens) => {
                return Err(MethodError::InitLength {
                    context,
                    words: config.init.clone(),
                    tokens,
                });
            }
        };
        let limit = clip.config.text.context_length;
        if context + 3 > limit {
            return Err(MethodError::Option {
                key: "coop.context",
                found: context.to_string(),
                expected: format!("at most {} with this text tower", limit.saturating_sub(3)),
            });
        }
        let copies = if config.class_specific { classes } else { 1 };
        let values = if words.is_empty() {
            Stream::new(seed, "coop.ctx").normals(copies * context * width, INIT_DEVIATION)
        } else {
            clip.text.token_embeddings(&words).repeat(copies)
        };
        let shape: &[usize] = if config.class_specific {
            &[classes, context, width]
        } else {
            &[context, width]
        };
        Ok(Self {
            parameters: vec![Parameter::new("ctx", shape, values)?],
            context,
            classes: config.class_specific.then_some(classes),
            position: config.position,
        })
    }

    /// Number of context tokens.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The tokens of a class's name and of what follows it, by the rule at the head of this file.
    fn name_and_rest(&self, tokenizer: &Tokenizer, name: &str) -> (Vec<u32>, Vec<u32>) {
        let name = class_text(name);
        let name_tokens = tokenizer.bpe(&name).len();
        let placeholder = vec![PLACEHOLDER; self.context].join(" ");
        let mut tokens = tokenizer.bpe(&format!("{placeholder} {name}."));
        tokens.drain(..self.context.min(tokens.len()));
        let rest = tokens.split_off(name_tokens.min(tokens.len()));
        (tokens, rest)
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
        if let Some(expected) = self.classes
            && expected != classes.len()
        {
            return Err(MethodError::ClassCount {
                expected,
                found: classes.len(),
            });
        }
        let (start, end) = (Slot::Token(tokenizer.sot()), Slot::Token(tokenizer.eot()));
        let limit = tokenizer.context_length();
        let before = match self.position {
            Position::End => self.context,
            Position::Middle => self.context / 2,
            Position::Front => 0,
        };
        let text = |(index, class): (usize, &String)| {
            if tokenizer.bpe(&class_text(class)).is_empty() {
                return Err(MethodError::EmptyName {
                    index,
                    name: class.clone(),
                });
            }
            let (name, rest) = self.name_and_rest(tokenizer, class);
            let tokens = 2 + self.context + name.len() + rest.len();
            if tokens > limit {
                return Err(MethodError::TooLong {
                    name: class.clone(),
                    tokens,
                    context: self.context,
                    limit,
                });
            }
            let row = if self.classes.is_some() {
                index * self.context
            } else {
                0
            };
            let learned = |from: usize, to: usize| {
                (row + from..row + to).map(|row| Slot::Learned(row as u32))
            };
            let mut slots = Vec::with_capacity(tokens);
            slots.push(start);
            slots.extend(learned(0, before));
            slots.extend(name.into_iter().map(Slot::Token));
            slots.extend(learned(before, self.context));
            slots.extend(rest.into_iter().map(Slot::Token));
            slots.push(end);
            Ok(slots)
        };
        classes.iter().enumerate().map(text).collect()
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
