//! What kernels of bf16 products make at once.

use crate::tile::{TILE_COLUMNS, TILE_ROWS};
use crate::vector::LANES;

/// Rows and columns of a [`Block`].
pub(crate) const SIDE: usize = 32;

/// 32 x 32 sums of products, row by row.
#[derive(Clone)]
#[repr(C, align(64))]
pub(crate) struct Block(pub(crate) [f32; SIDE * SIDE]);

impl Block {
    pub(crate) const ZERO: Self = Self([0.0; SIDE * SIDE]);

    /// The rows.
    #[inline(always)]
    pub(crate) fn rows(&self) -> &[[f32; SIDE]] {
        self.0.as_chunks().0
    }

    /// The rows, `N` at a time.
    #[inline(always)]
    pub(crate) fn parts<const N: usize>(&self) -> &[[[f32; SIDE]; N]] {
        self.rows().as_chunks().0
    }

    /// The rows, to be changed.
    #[inline(always)]
    pub(crate) fn rows_mut(&mut self) -> &mut [[f32; SIDE]] {
        self.0.as_chunks_mut().0
    }
}

const _: () = assert!(SIDE == 2 * TILE_ROWS && SIDE == TILE_COLUMNS && SIDE == 2 * LANES);
