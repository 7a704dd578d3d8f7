//! An arena whose buffers hold no numbers.

use vlpt_kernels::{Arena, Matrix, Precision};

/// Buffers of many sizes, full of what is not a number, as a long run might leave them behind: what
/// is not written must not be read.
pub(crate) fn poisoned() -> Arena {
    let arena = Arena::default();
    let buffers: Vec<Matrix> = (8..15)
        .flat_map(|size| [1 << size, 3 << size])
        .map(|size| Matrix::of(&arena, Precision::F32, size, &vec![f32::NAN; size]))
        .collect();
    drop(buffers);
    arena
}
