//! How the texts of a run go through the tower.

use super::chunk::{Chunk, ChunkTape};
use crate::transformer::TapeBytes;

/// Texts cut into chunks, with everything computed that does not depend on prompts.
///
/// Chunks depend on the texts and the tower alone, unless the budget is below the tape of one
/// chunk; so the gradients have the same bits under every larger budget.
#[derive(Debug)]
pub struct TextPlan {
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
}

/// What [`super::TextTower::backward`] needs of a forward pass.
#[derive(Debug)]
pub struct TextTape {
    pub(super) prompts: Vec<f32>,
    pub(super) chunks: Vec<Option<ChunkTape>>,
    pub(super) bytes: usize,
}

impl TextTape {
    /// Bytes of what is kept of the pass inside the blocks.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
