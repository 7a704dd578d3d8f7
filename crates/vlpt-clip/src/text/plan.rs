//! How the texts of a run go through the tower.

use super::chunk::{Chunk, ChunkTape};

/// Texts cut into chunks, with everything computed that does not depend on prompts.
///
/// Chunks depend on the texts and the tower alone, unless the budget is below the tape of one
/// chunk; so the gradients have the same bits under every larger budget.
#[derive(Debug)]
pub struct TextPlan {
    pub(super) chunks: Vec<Chunk>,
    pub(super) texts: usize,
    /// How many chunks, from the first on, keep their tape from forward to backward.
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

    /// Number of chunks whose tape is kept; the others are computed again in backward.
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
}
