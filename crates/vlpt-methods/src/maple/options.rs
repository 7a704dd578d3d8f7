//! Options of MaPLe, and what a checkpoint tells of them.

use vlpt_clip::{Clip, ClipConfig};

use super::{CONTEXT, DEEP_TEXT};
use crate::import::Reader;
use crate::{MethodError, Result, class_text};

/// Blocks with prompts of their own, where the towers have that many.
const DEFAULT_DEPTH: usize = 9;
/// The words of the published configurations.
const WORDS: &str = "a photo of a";
/// The longest context that the published code starts from words.
const MOST_FROM_WORDS: usize = 4;

options! {
    /// Options of [`MaPLe`](crate::MaPLe).
    pub struct MaPLeConfig = "maple" {
        /// Prompts a block, in each tower.
        context: usize = 2, "1 to 4 with the built-in init; 1 to 74 with CLIP without words";
        /// Blocks with prompts of their own, from the first one on; left out, 9, or all that both
        /// towers have where that is less.
        #[serde(skip_serializing_if = "Option::is_none")]
        depth: Option<usize> = None, "1 to the number of blocks that both towers have";
        /// Words before the class name. The embeddings of the first ones start the text prompts of the
        /// first block, which take their place; the others stay. Empty: no words, a random start.
        init: String = WORDS.to_owned(), "words";
    }
}

/// The options that the shapes of a checkpoint tell. What is missing or misshapen beside `ctx` and
/// `proj.weight` is found when the parameters are filled.
pub(super) fn imported(reader: &mut Reader) -> MaPLeConfig {
    let (context, _) = reader.context(false);
    match reader.shape("proj.weight") {
        Some(&[outputs, _]) => {
            let (what, of) = ("the width of what `proj` makes", "that of the image tower");
            let width = reader.model.vision.width;
            reader.same(what, outputs, of, width);
        }
        None => {}
        _ => reader.misshapen("proj.weight", "vision width x text width"),
    }
    let deep = reader.names.tensors.keys();
    let depth = 1 + deep.filter(|name| name.starts_with(DEEP_TEXT)).count();
    let init = if context <= MOST_FROM_WORDS {
        reader.assume(format!(
            "texts are \"{WORDS} NAME.\" with the prompts in place of the first words, as in \
             MaPLe's code"
        ));
        WORDS
    } else {
        reader.assume(
            "no word stands between the prompts and the class name, as in MaPLe's code for more \
             than four prompts",
        );
        ""
    };
    MaPLeConfig {
        context,
        depth: Some(depth),
        init: init.to_owned(),
    }
}

/// Words before the class name.
#[derive(Default)]
pub(super) struct Start {
    pub(super) words: String,
    /// Tokens of all words.
    pub(super) tokens: usize,
    /// Of the first of them, as many as there are prompts.
    pub(super) embeddings: Vec<f32>,
}

impl Start {
    /// The words of `maple.init` as this model's tokens.
    pub(super) fn new(config: &MaPLeConfig, clip: &Clip) -> Self {
        let words = class_text(&config.init);
        let tokens = clip.tokenizer.bpe(&words);
        let replaced = &tokens[..config.context.min(tokens.len())];
        Self {
            tokens: tokens.len(),
            embeddings: clip.text.token_embeddings(replaced),
            words,
        }
    }

    /// Refuses a number of prompts that there is no room for.
    pub(super) fn check(&self, context: usize, positions: usize) -> Result<()> {
        let (most, why) = match self.tokens {
            // the start, the shortest name and the end stand beside them
            0 => (positions.saturating_sub(3), "with this text tower"),
            tokens => (
                tokens,
                "as maple.init has that many tokens (maple.init = \"\": a random start)",
            ),
        };
        if (1..=most).contains(&context) {
            return Ok(());
        }
        Err(MethodError::Option {
            key: CONTEXT,
            found: context.to_string(),
            expected: format!("1 to {most}, {why}"),
        })
    }
}

/// Blocks with prompts of their own.
pub(super) fn depth(asked: Option<usize>, model: &ClipConfig) -> Result<usize> {
    let blocks = model.text.layers.min(model.vision.layers);
    let depth = asked.unwrap_or(DEFAULT_DEPTH.min(blocks));
    if (1..=blocks).contains(&depth) {
        return Ok(depth);
    }
    Err(MethodError::Option {
        key: "maple.depth",
        found: depth.to_string(),
        expected: format!("1 to {blocks}, the blocks that both towers have"),
    })
}
