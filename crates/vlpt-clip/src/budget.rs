/// Bytes that the tapes of one forward pass may take.
///
/// A tape is what backward needs of forward: about `9 x width` floats a token and layer, a little
/// more than half of that in bf16. Work goes through a tower in chunks; the tapes of as many chunks
/// as fit are kept, and the others are computed again in backward. On top come the buffers of one
/// chunk and, for images whose tape is not kept, their tokens before the first block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryBudget {
    /// The limit in bytes.
    pub bytes: usize,
}

impl Default for MemoryBudget {
    /// 512 MiB.
    fn default() -> Self {
        Self { bytes: 512 << 20 }
    }
}
