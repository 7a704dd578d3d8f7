//! How the texts of a run go through the tower.

use super::chunk::{Chunk, ChunkTape};
use super::tree::TreeKind;
use crate::adaptation::{Held, LayerName, PromptRows, TowerAdaptation};
use crate::transformer::TapeBytes;

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
}

impl Default for TextPlanOptions {
    /// Rows at the input of the first block alone, and no updates.
    fn default() -> Self {
        Self {
            first: 0,
            blocks: 1,
            updates: None,
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

    /// Whether block `l` gets rows of its own.
    pub(super) fn enters(self, l: usize) -> bool {
        (self.first..self.first + self.blocks).contains(&l)
    }
}

/// Texts cut into chunks, with everything computed that does not depend on what is learned.
///
/// Chunks depend on the texts and the tower alone, unless the budget is below the tape of one
/// chunk; so the gradients have the same bits under every larger budget.
#[derive(Debug)]
pub struct TextPlan {
    pub(super) options: TextPlanOptions,
    pub(super) chunks: Vec<Chunk>,
    pub(super) texts: usize,
    /// What the tapes of all chunks may take.
    pub(super) budget: usize,
    /// Bytes of the tapes of each chunk's blocks.
    pub(super) tapes: Vec<Vec<TapeBytes>>,
    /// How many chunks do not go through the tower again in backward.
    pub(super) kept: usize,
    pub(super) bytes: usize,
}

impl TextPlan {
    /// Number of texts.
    pub fn texts(&self) -> usize {
        self.texts
    }

    /// Number of chunks.
    pub fn chunks(&self) -> usize {
        self.chunks.len()
    }

    /// Number of chunks of which a tape is kept, or a part of it from which the rest is computed
    /// again; the others go through the whole tower again in backward.
    pub fn kept_chunks(&self) -> usize {
        self.kept
    }

    /// Bytes of the cached constants.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// # Panics
    /// When texts have learned tokens and the prompts are others than the plan is for, or there are
    /// updates before the block that it knows of.
    pub(super) fn check(&self, adaptation: &TowerAdaptation) {
        let given = TextPlanOptions::from(adaptation);
        let own = self.options;
        if self.chunks.iter().any(Chunk::has_learned) {
            assert!(
                (given.first, given.blocks) == (own.first, own.blocks),
                "rows of {} blocks from {} on, where the plan is for {} from {} on",
                given.blocks,
                given.first,
                own.blocks,
                own.first
            );
        }
        if let Some(block) = given.updates {
            assert!(
                own.updates.is_some_and(|first| first <= block),
                "an update of block {block}, where the plan is for {:?}",
                own.updates
            );
        }
    }
}

/// The adaptation of texts, held by a tape.
#[derive(Debug)]
pub(super) struct TextAdaptation {
    /// Values of the prompts, blocks x rows x width.
    pub(super) values: Vec<f32>,
    pub(super) rows: usize,
    pub(super) held: Held,
}

/// What [`super::TextTower::backward`] needs of a forward pass.
#[derive(Debug)]
pub struct TextTape {
    pub(super) adaptation: TextAdaptation,
    pub(super) chunks: Vec<Option<ChunkTape>>,
    pub(super) bytes: usize,
}

impl TextTape {
    /// Bytes of what is kept of the pass inside the blocks.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
