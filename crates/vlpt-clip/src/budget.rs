//! How much a pass may keep.

/// Bytes that the tapes of one forward pass may take.
///
/// A tape is what backward needs of forward: about `9 x width` numbers a token and layer, in the
/// number format of the towers. Work goes through a tower in chunks. Of their tapes as much is kept
/// as fits: standardised rows first, `2 x width` of these numbers, then what takes longest to make
/// for its bytes. The rest is computed again in backward, one block, or where no rows are kept one
/// chunk, at a time. On top come the buffers of one chunk and, for images of which no rows are kept,
/// their tokens before the first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    /// What all tapes that are kept may take.
    bytes: usize,
    /// What the tape of one chunk may take.
    chunk: usize,
}

/// Most bytes of the tape of one chunk. A larger budget keeps more chunks and makes none larger, so
/// that every budget of at least this much gives the same bits.
const CHUNK: usize = 512 << 20;

impl MemoryBudget {
    /// `bytes` for all tapes, and so for that of one chunk.
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes,
            chunk: bytes.min(CHUNK),
        }
    }

    /// The limit in bytes.
    pub fn bytes(self) -> usize {
        self.bytes
    }

    /// The budget of one of several passes whose tapes are kept at once. Chunks are as large as those
    /// of a pass that has all of it.
    #[must_use]
    pub fn shared(self, passes: usize) -> Self {
        Self {
            bytes: self.bytes / passes.max(1),
            chunk: self.chunk,
        }
    }

    /// What the tape of one chunk may take.
    pub(crate) fn of_chunk(self) -> usize {
        self.chunk
    }
}

impl Default for MemoryBudget {
    /// What holds the tape of any chunk.
    fn default() -> Self {
        Self::new(CHUNK)
    }
}
