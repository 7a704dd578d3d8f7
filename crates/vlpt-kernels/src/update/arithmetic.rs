//! Floats and matrices of either number format.

use std::cell::RefCell;

use crate::arena::{Arena, Buffer};
use crate::matrix::{Matrix, Operand};
use crate::precision::Precision;
use crate::simd::vectorised;
use crate::threads::{Parts, for_parts};
use crate::tile::{
    TILE_COLUMNS, TILE_ROWS, Tiles, round_rows, rows_of_tiles, tile_rows, tiles_of_rows,
};

thread_local! {
    /// Rows of a matrix, and of a factor, widened.
    static WIDENED: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

impl Operand<'_> {
    /// The rows as floats, rows x `width`.
    ///
    /// # Panics
    /// When the rows have another length.
    pub fn widened(&self, arena: &Arena, width: usize) -> Buffer<f32> {
        let mut floats = arena.floats(self.rows(width) * width);
        match self {
            Self::F32(own) => floats.copy_from_slice(own),
            Self::Bf16(tiles) => {
                for_parts(&Parts::new(&mut floats, TILE_ROWS * width), |i, floats| {
                    for (row, floats) in (i * TILE_ROWS..).zip(floats.chunks_exact_mut(width)) {
                        tiles.widen_row(row, 0, floats);
                    }
                });
            }
        }
        floats
    }
}

impl Matrix {
    /// `self += x`, rounded to the format; `x`: rows x width.
    ///
    /// # Panics
    /// When `x` has another length.
    pub fn add(&mut self, x: &[f32]) {
        let (rows, width) = (self.rows(), self.width());
        assert_eq!(x.len(), rows * width, "rows that are added to a matrix");
        match self.precision() {
            Precision::F32 => {
                let floats = Parts::new(self.floats_mut(), TILE_ROWS * width);
                for_parts(&floats, |i, own| {
                    crate::add(own, rows_of_tiles(x, width, i));
                });
            }
            Precision::Bf16 => {
                for_parts(&tile_rows(self.tiles_mut(), width, rows), |i, tiles| {
                    WIDENED.with_borrow_mut(|[own, _]| {
                        let x = rows_of_tiles(x, width, i);
                        widen(tiles, width, x.len() / width, own);
                        crate::add(own, x);
                        round_rows(own, width, tiles);
                    });
                });
            }
        }
    }

    /// `self += x * factor`, element by element, rounded to the format; `x`: rows x width, `factor`:
    /// of the same size and format.
    ///
    /// # Panics
    /// When sizes or number formats do not fit.
    pub fn add_scaled(&mut self, x: &[f32], factor: &Self) {
        let (rows, width) = (self.rows(), self.width());
        assert!(
            (factor.rows(), factor.width()) == (rows, width) && x.len() == rows * width,
            "factors of what is added to a matrix"
        );
        match (self.precision(), factor.operand()) {
            (Precision::F32, Operand::F32(factor)) => {
                let floats = Parts::new(self.floats_mut(), TILE_ROWS * width);
                for_parts(&floats, |i, own| {
                    let part = |floats| rows_of_tiles(floats, width, i);
                    add_product(own, part(x), part(factor));
                });
            }
            (Precision::Bf16, Operand::Bf16(factor)) => {
                for_parts(&tile_rows(self.tiles_mut(), width, rows), |i, tiles| {
                    WIDENED.with_borrow_mut(|[own, factors]| {
                        let x = rows_of_tiles(x, width, i);
                        let rows = x.len() / width;
                        widen(tiles, width, rows, own);
                        widen(tiles_of_rows(factor, i), width, rows, factors);
                        add_product(own, x, factors);
                        round_rows(own, width, tiles);
                    });
                });
            }
            _ => panic!("a matrix and its factors in one number format"),
        }
    }
}

/// The first rows of the tiles of 16 rows, as floats.
fn widen(tiles: &[u16], width: usize, rows: usize, to: &mut Vec<f32>) {
    to.resize(rows * width, 0.0);
    let tiles = Tiles {
        rows,
        width,
        numbers: tiles,
    };
    debug_assert!(tiles.numbers.len() >= TILE_ROWS * width.next_multiple_of(TILE_COLUMNS));
    for (row, to) in to.chunks_exact_mut(width).enumerate() {
        tiles.widen_row(row, 0, to);
    }
}

vectorised! {
    fn add_product(y: &mut [f32], x: &[f32], factor: &[f32]) {
        for ((y, x), factor) in y.iter_mut().zip(x).zip(factor) {
            *y = x.mul_add(*factor, *y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_made_in_both_formats() {
        let arena = Arena::default();
        for (rows, width) in [(1, 1), (16, 32), (17, 33), (40, 70)] {
            let numbers = |by: usize| -> Vec<f32> {
                (0..rows * width).map(|i| (i * by % 7) as f32).collect()
            };
            let (start, x, factor) = (numbers(3), numbers(5), numbers(2));
            for precision in [Precision::F32, Precision::Bf16] {
                let mut sum = Matrix::of(&arena, precision, width, &start);
                sum.add(&x);
                sum.add_scaled(&x, &Matrix::of(&arena, precision, width, &factor));
                let want: Vec<f32> = (0..rows * width)
                    .map(|i| start[i] + x[i] + x[i] * factor[i])
                    .collect();
                assert_eq!(&*sum.operand().widened(&arena, width), want);
            }
        }
    }

    #[test]
    fn zeros_change_no_bit() {
        let arena = Arena::default();
        let start: Vec<f32> = (0..33 * 20).map(|i| (i as f32).sin()).collect();
        for precision in [Precision::F32, Precision::Bf16] {
            let mut sum = Matrix::of(&arena, precision, 33, &start);
            let before = sum.to_floats();
            sum.add(&vec![0.0; start.len()]);
            assert_eq!(sum.to_floats(), before);
        }
    }
}
