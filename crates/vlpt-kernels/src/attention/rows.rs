//! Rows of either number format, to be read and to be written.

use crate::Precision;
use crate::matrix::{Matrix, Operand};
use crate::output::{Output, TileOutput};
use crate::tile::{TILE_COLUMNS, round_part};

/// A matrix of which tasks write disjoint parts of rows.
#[derive(Clone, Copy)]
pub(super) enum Rows<'a> {
    Floats(Output<'a>),
    Tiles(TileOutput<'a>),
}

impl<'a> Rows<'a> {
    pub(super) fn new(matrix: &'a mut Matrix) -> Self {
        match matrix.precision() {
            Precision::F32 => {
                let width = matrix.width();
                Self::Floats(Output::new(matrix.floats_mut(), width))
            }
            Precision::Bf16 => Self::Tiles(TileOutput::new(matrix)),
        }
    }

    /// Writes the columns from `first` on of a row, rounded to the format.
    ///
    /// # Safety
    /// Nobody else has these columns meanwhile.
    pub(super) unsafe fn put(&self, row: usize, first: usize, floats: &[f32]) {
        match self {
            Self::Floats(to) => {
                // SAFETY: the caller's promise.
                unsafe { to.part(row, first, floats.len()) }.copy_from_slice(floats);
            }
            Self::Tiles(to) => {
                let whole = if first.is_multiple_of(TILE_COLUMNS) {
                    floats.as_chunks().0
                } else {
                    &[]
                };
                for (tile, floats) in (first / TILE_COLUMNS..).zip(whole) {
                    // SAFETY: the caller's promise.
                    round_part(floats, unsafe { to.part(row, tile) });
                }
                let done = whole.len() * TILE_COLUMNS;
                for (column, x) in (first..).zip(floats).skip(done) {
                    // SAFETY: the caller's promise, number by number.
                    unsafe { *to.number(row, column) = crate::vector::round_to_bf16(*x) };
                }
            }
        }
    }
}

/// The columns `first..first + to.len()` of a row of an operand, widened.
pub(super) fn read(from: Operand, width: usize, row: usize, first: usize, to: &mut [f32]) {
    match from {
        Operand::F32(floats) => to.copy_from_slice(&floats[row * width + first..][..to.len()]),
        Operand::Bf16(tiles) => tiles.widen_row(row, first, to),
    }
}
