//! Learned context tokens among the words of a class: how many, what they start from, where they
//! stand. Every method with a text side of its own shares it.
//!
//! Layouts, as the published code builds them, where `n` is the context length:
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
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, PromptToken, Tokenizer};

use crate::zeroshot::fill;
use crate::{MethodError, Result, class_text};

/// Standard deviation of a random initial context.
pub(crate) const INIT_DEVIATION: f64 = 0.02;
/// One token in every CLIP vocabulary; stands for a learned token while the text is tokenised.
const PLACEHOLDER: &str = "X";
/// What follows a context at the end.
const NAME: &str = "{}.";

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

/// Words that a context may start from, with their token embeddings (before positions are added).
#[derive(Debug, Clone, Default)]
pub(crate) struct Words {
    text: String,
    tokens: usize,
    embeddings: Vec<f32>,
}

impl Words {
    /// The words of `text` as this model's tokens; empty: no words.
    pub(crate) fn new(clip: &Clip, text: &str) -> Self {
        let tokens = clip.tokenizer.bpe(&class_text(text));
        Self {
            text: text.to_owned(),
            tokens: tokens.len(),
            embeddings: clip.text.token_embeddings(&tokens),
        }
    }
}

/// The names of a method's context options, for messages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keys {
    /// The option for the number of tokens.
    pub(crate) count: &'static str,
    /// The option for one context a class.
    pub(crate) class_specific: &'static str,
}

/// What a context is asked to be.
pub(crate) struct ContextOptions<'a> {
    pub(crate) keys: Keys,
    /// Number of tokens; left out, as many as `words` has, or `default`.
    pub(crate) count: Option<usize>,
    pub(crate) default: usize,
    pub(crate) words: &'a Words,
    /// The number of classes when each has a context of its own.
    pub(crate) classes: Option<usize>,
    pub(crate) position: Position,
    /// Positions of the text tower.
    pub(crate) limit: usize,
}

/// A context whose options make sense.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    keys: Keys,
    count: usize,
    classes: Option<usize>,
    position: Position,
    /// What is tokenised beside the context.
    template: String,
}

impl Context {
    /// # Errors
    /// A length of 0, one that the tower has no room for, or one that differs from the number of
    /// the words' tokens.
    pub(crate) fn new(options: &ContextOptions) -> Result<Self> {
        let key = options.keys.count;
        let count = match (options.count, options.words.tokens) {
            (Some(0), _) => {
                return Err(MethodError::Option {
                    key,
                    found: "0".to_owned(),
                    expected: "at least 1".to_owned(),
                });
            }
            (None, 0) => options.default,
            (Some(n), 0) | (None, n) => n,
            (Some(n), tokens) if n == tokens => n,
            (Some(context), tokens) => {
                return Err(MethodError::InitLength {
                    key,
                    context,
                    words: options.words.text.clone(),
                    tokens,
                });
            }
        };
        // The start, the shortest name and the end stand beside it.
        if count + 3 > options.limit {
            return Err(MethodError::Option {
                key,
                found: count.to_string(),
                expected: format!(
                    "at most {} with this text tower",
                    options.limit.saturating_sub(3)
                ),
            });
        }
        Ok(Self {
            keys: options.keys,
            count,
            classes: options.classes,
            position: options.position,
            template: NAME.to_owned(),
        })
    }

    /// The same context at the front of another text than the name and its full stop; `{}` stands for
    /// the name. For [`Position::End`].
    pub(crate) fn with_template(self, template: &str) -> Self {
        let template = template.to_owned();
        Self { template, ..self }
    }

    /// Tokens of one context.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Tokens of all contexts.
    pub(crate) fn rows(&self) -> usize {
        self.count * self.classes.unwrap_or(1)
    }

    /// The shape of the parameter: (count x width), or (classes x count x width).
    pub(crate) fn shape(&self, width: usize) -> Vec<usize> {
        let mut shape: Vec<usize> = self.classes.into_iter().collect();
        shape.extend([self.count, width]);
        shape
    }

    /// The initial values: the words' embeddings for each context, or N(0, 0.02) without words.
    pub(crate) fn initial(&self, words: &Words, width: usize, mut stream: Stream) -> Vec<f32> {
        if words.tokens == 0 {
            stream.normals(self.rows() * width, INIT_DEVIATION)
        } else {
            words.embeddings.repeat(self.classes.unwrap_or(1))
        }
    }

    /// The slots of each class's text, see [`Method::texts`](crate::Method::texts).
    pub(crate) fn texts(
        &self,
        tokenizer: &Tokenizer,
        classes: &[String],
    ) -> Result<Vec<Vec<PromptToken>>> {
        if let Some(expected) = self.classes
            && expected != classes.len()
        {
            return Err(MethodError::ClassCount {
                key: self.keys.class_specific,
                expected,
                found: classes.len(),
            });
        }
        classes
            .iter()
            .enumerate()
            .map(|(index, class)| self.text(tokenizer, index, class))
            .collect()
    }

    /// The slots of the text of class number `index`.
    fn text(&self, tokenizer: &Tokenizer, index: usize, class: &str) -> Result<Vec<PromptToken>> {
        if tokenizer.bpe(&class_text(class)).is_empty() {
            return Err(MethodError::EmptyName {
                index,
                name: class.to_owned(),
            });
        }
        let (name, rest) = self.name_and_rest(tokenizer, class)?;
        let tokens = 2 + self.count + name.len() + rest.len();
        let limit = tokenizer.context_length();
        if tokens > limit {
            return Err(MethodError::TooLong {
                key: self.keys.count,
                name: class.to_owned(),
                tokens,
                context: self.count,
                limit,
            });
        }
        let before = match self.position {
            Position::End => self.count,
            Position::Middle => self.count / 2,
            Position::Front => 0,
        };
        let first = match self.classes {
            Some(_) => index * self.count,
            None => 0,
        };
        let learned = |from: usize, to: usize| {
            (first + from..first + to).map(|row| PromptToken::Learned(row as u32))
        };
        let mut slots = Vec::with_capacity(tokens);
        slots.push(PromptToken::Token(tokenizer.sot()));
        slots.extend(learned(0, before));
        slots.extend(name.into_iter().map(PromptToken::Token));
        slots.extend(learned(before, self.count));
        slots.extend(rest.into_iter().map(PromptToken::Token));
        slots.push(PromptToken::Token(tokenizer.eot()));
        Ok(slots)
    }

    /// The tokens of a class's name and of what follows it, by the rule at the head of this file.
    fn name_and_rest(&self, tokenizer: &Tokenizer, name: &str) -> Result<(Vec<u32>, Vec<u32>)> {
        let name_tokens = tokenizer.bpe(&class_text(name)).len();
        let placeholder = vec![PLACEHOLDER; self.count].join(" ");
        let text = fill(&self.template, name)?;
        let mut tokens = tokenizer.bpe(&format!("{placeholder} {text}"));
        tokens.drain(..self.count.min(tokens.len()));
        let rest = tokens.split_off(name_tokens.min(tokens.len()));
        Ok((tokens, rest))
    }
}

/// The sizes of ViT-B/16, which published numbers of parameters belong to.
#[cfg(test)]
pub(crate) fn b16() -> vlpt_clip::ClipConfig {
    use vlpt_clip::{Activation, ClipConfig, TextConfig, VisionConfig};
    ClipConfig {
        text: TextConfig {
            width: 512,
            layers: 12,
            heads: 8,
            mlp: 2048,
            context_length: 77,
            vocab_size: 49408,
            eot_token: 49407,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        vision: VisionConfig {
            width: 768,
            layers: 12,
            heads: 12,
            mlp: 3072,
            image_size: 224,
            patch_size: 16,
            activation: Activation::QuickGelu,
            layer_norm_eps: 1e-5,
        },
        embed_dim: 512,
    }
}
