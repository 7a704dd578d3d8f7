//! How the texts of a run go through the tower.

use super::chunk::{Chunk, ChunkTape};
use super::options::{TextAdaptation, TextPlanOptions};
use crate::adaptation::TowerAdaptation;
use crate::transformer::TapeBytes;

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
    /// When texts have learned tokens and the rows are others than the plan is for, or there are
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
            let how = ["replaced", "mixed"];
            assert!(
                given.carries == own.carries,
                "rows that are {}, where the plan is for rows that are {}",
                how[usize::from(given.carries)],
                how[usize::from(own.carries)]
            );
            assert_eq!(
                given.text_rows, own.text_rows,
                "rows of each text, and those that the plan is for"
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
