//! What a plan of texts has to know of the adaptations that they will be under, and what a tape holds
//! of one.

use super::tree::TreeKind;
use crate::adaptation::{Held, LayerName, PromptRows, TowerAdaptation};

/// What a plan has to know of the adaptations that its texts will be under.
///
/// It decides what is constant: with prompts alone, the tokens before the first learned one, and
/// what goes on before the block that the rows enter at; with updates, what goes on before the first
/// block with one.
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
}

impl Default for TextPlanOptions {
    /// Rows at the input of the first block alone, and no updates.
    fn default() -> Self {
        Self {
            first: 0,
            blocks: 1,
            updates: None,
            carries: false,
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

    /// Whether block `l` gets rows of its own.
    pub(super) fn enters(self, l: usize) -> bool {
        (self.first..self.first + self.blocks).contains(&l)
    }
}

/// The adaptation of texts, held by a tape.
#[derive(Debug)]
pub(super) struct TextAdaptation {
    /// Values of the prompts, blocks x rows x width.
    pub(super) values: Vec<f32>,
    pub(super) rows: usize,
    pub(super) carry: f32,
    pub(super) held: Held,
}
