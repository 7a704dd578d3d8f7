//! Learned updates beside frozen layers: low-rank products, and scale and shift, forward and
//! backward.
//!
//! Their products are thin (inputs x rank), so they are computed in f32 whatever the number format
//! of the layer, some rows at a time: rows are widened, normalised, dropped and multiplied in one
//! task, and nothing as large as the input is kept. Sums over rows are made of parts of 64 rows,
//! which are added in their order, so that they do not depend on the number of threads.

mod activate;
mod arithmetic;
mod dropout;
mod low_rank;
mod scale_shift;

pub use dropout::{Dropout, hash};
pub use low_rank::{LowRank, LowRankInput};
pub use scale_shift::ScaleShift;

/// Rows of one task, and of one part of a sum.
const ROWS: usize = 64;

/// Some columns of a matrix of rows of `width` floats: those of one of the layers whose outputs lie
/// side by side.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// Length of a row.
    pub width: usize,
    /// The first of the columns.
    pub first: usize,
}

impl Columns {
    /// All of a row.
    pub fn all(width: usize) -> Self {
        Self { width, first: 0 }
    }

    /// # Panics
    /// When `floats` are no whole rows, or a row has not `count` columns from the first on.
    fn rows(self, floats: &[f32], count: usize) -> usize {
        assert!(
            self.first + count <= self.width && floats.len().is_multiple_of(self.width),
            "columns {} to {} of rows of {}",
            self.first,
            self.first + count,
            self.width
        );
        floats.len() / self.width
    }
}

/// Adds parts of a sum, one after another, to `sums`, which lie in each part one after another.
fn add_parts(parts: &[f32], sums: &mut [&mut [f32]]) {
    let length: usize = sums.iter().map(|sum| sum.len()).sum();
    for mut part in parts.chunks_exact(length) {
        for sum in &mut *sums {
            let (own, rest) = part.split_at(sum.len());
            crate::add(sum, own);
            part = rest;
        }
    }
}
