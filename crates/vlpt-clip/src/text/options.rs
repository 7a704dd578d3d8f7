//! What a plan of texts has to know of the adaptations that they will be under, and what a tape holds
//! of one.

use std::borrow::Cow;

use super::tree::{PromptToken, TreeKind};
use crate::adaptation::{Held, LayerName, PromptRows, TextRowsAt, TowerAdaptation};

/// What a plan has to know of the adaptations that its texts will be under.
///
/// It decides what is constant: with prompts alone, the tokens before the first learned one, and
/// what goes on before the block that the rows enter at; with updates, what goes on before the first
/// block with one. It also decides what texts with an equal beginning share: with rows of each text's
/// own, what goes on before their block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextPlanOptions {
    /// The block that learned rows enter before, [`PromptRows::first`].
    pub first: usize,
    /// Blocks with rows of their own, [`PromptRows::blocks`].
    pub blocks: usize,
    /// The first block with an update of a layer, if there is one.
    pub updates: Option<usize>,
    /// Whether rows are mixed with what became of those before, [`PromptRows::carry`] above 0.
    pub carries: bool,
    /// Where each text has rows of its own, [`TextRows::at`](crate::TextRows::at).
    pub text_rows: Option<TextRowsAt>,
}

impl Default for TextPlanOptions {
    /// Rows at the input of the first block alone, and no updates.
    fn default() -> Self {
        Self {
            first: 0,
            blocks: 1,
            updates: None,
            carries: false,
            text_rows: None,
        }
    }
}

impl From<&TowerAdaptation<'_>> for TextPlanOptions {
    fn from(adaptation: &TowerAdaptation) -> Self {
        let (first, blocks) = match adaptation.prompts {
            prompts if prompts.is_empty() => (0, 0),
            PromptRows { first, blocks, .. } => (first, blocks),
        };
        let in_blocks = adaptation
            .updates
            .iter()
            .filter(|update| update.layer != LayerName::LnFinal);
        Self {
            first,
            blocks,
            updates: in_blocks.map(|update| update.block).min(),
            carries: blocks > 0 && adaptation.prompts.carry > 0.0,
            text_rows: adaptation.text_rows.map(|rows| rows.at),
        }
    }
}

impl TextPlanOptions {
    pub(super) fn tree(self) -> TreeKind {
        TreeKind {
            all_live: self.updates.is_some(),
            inserted: self.first > 0,
        }
    }

    /// The first block that live nodes go through.
    pub(super) fn start(self) -> usize {
        match self.updates {
            None => self.first,
            Some(block) if self.blocks == 0 => block,
            Some(block) => block.min(self.first),
        }
    }

    /// Whether block `l` gets rows that are mixed with what became of those before.
    pub(super) fn mixes(self, l: usize) -> bool {
        self.carries && l > self.first && self.enters(l)
    }

    /// Whether block `l` gets rows of its own, which all texts share.
    pub(super) fn enters(self, l: usize) -> bool {
        (self.first..self.first + self.blocks).contains(&l)
    }

    /// Texts as they are told apart once each has rows of its own: row `r` of text `t` is the learned
    /// token `t rows + r`. The first one given is text `first` of all.
    ///
    /// # Panics
    /// When a text has a learned token beyond the rows of a text.
    pub(super) fn apart(
        self,
        texts: &[Vec<PromptToken>],
        first: usize,
    ) -> Cow<'_, [Vec<PromptToken>]> {
        let Some(TextRowsAt { rows, .. }) = self.text_rows else {
            return Cow::Borrowed(texts);
        };
        let own = |text: usize, token: &PromptToken| match *token {
            PromptToken::Learned(row) => {
                assert!((row as usize) < rows, "row {row} of the {rows} of a text");
                PromptToken::Learned((text * rows) as u32 + row)
            }
            word @ PromptToken::Token(_) => word,
        };
        let texts = (first..).zip(texts);
        texts
            .map(|(text, tokens)| tokens.iter().map(|token| own(text, token)).collect())
            .collect()
    }
}

/// The adaptation of texts, held by a tape.
#[derive(Debug)]
pub(super) struct TextAdaptation {
    /// Values of the prompts, blocks x rows x width.
    pub(super) values: Vec<f32>,
    pub(super) rows: usize,
    pub(super) carry: f32,
    /// Rows of each text's own, texts x rows x width; empty where there are none.
    pub(super) text_rows: Vec<f32>,
    pub(super) held: Held,
}
