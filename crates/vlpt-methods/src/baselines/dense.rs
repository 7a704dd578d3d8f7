//! Products of small dense matrices in f64.
//!
//! Every sum runs in the order of its terms, product and sum rounded one after the other, so a
//! result has the same bits with any number of threads and on any processor.

use rayon::prelude::*;

/// Columns of a tile: so many sums side by side.
const COLUMNS: usize = 8;
/// Rows of a tile: as many use a row of the right side at once.
const ROWS: usize = 4;

/// The right side of a product, its columns in groups of [`COLUMNS`], the last filled with zeros.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    panels: Vec<[f64; COLUMNS]>,
    inner: usize,
    columns: usize,
}

impl Packed {
    /// Packs a matrix of `inner` x `columns` whose value at (k, j) is `value(k, j)`.
    pub(super) fn new(inner: usize, columns: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let mut panels = Vec::with_capacity(inner * columns.div_ceil(COLUMNS));
        for first in (0..columns).step_by(COLUMNS) {
            panels.extend((0..inner).map(|k| {
                let mut row = [0.0; COLUMNS];
                for (slot, j) in row.iter_mut().zip(first..columns) {
                    *slot = value(k, j);
                }
                row
            }));
        }
        Self {
            panels,
            inner,
            columns,
        }
    }

    /// `left` (rows x inner, row-major) times this, row-major (rows x columns).
    pub(super) fn product(&self, left: &[f64]) -> Vec<f64> {
        let (inner, columns) = (self.inner, self.columns);
        if inner == 0 || columns == 0 {
            return Vec::new();
        }
        let rows = left.len() / inner;
        let mut out = vec![0.0; rows * columns];
        out.par_chunks_mut(ROWS * columns)
            .zip(left.par_chunks(ROWS * inner))
            .for_each(|(out, left)| self.rows(left, out));
        out
    }

    /// At most [`ROWS`] rows of the product.
    fn rows(&self, left: &[f64], out: &mut [f64]) {
        let (inner, columns) = (self.inner, self.columns);
        for (group, panel) in self.panels.chunks_exact(inner).enumerate() {
            let first = group * COLUMNS;
            let width = COLUMNS.min(columns - first);
            if left.len() == ROWS * inner {
                let (a, rest) = left.split_at(inner);
                let (b, rest) = rest.split_at(inner);
                let (c, d) = rest.split_at(inner);
                let sums = tile([a, b, c, d], panel);
                for (row, sums) in sums.iter().enumerate() {
                    let at = row * columns + first;
                    out[at..at + width].copy_from_slice(&sums[..width]);
                }
            } else {
                for (row, left) in left.chunks_exact(inner).enumerate() {
                    let [sums] = tile([left], panel);
                    let at = row * columns + first;
                    out[at..at + width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }
}

/// `R` rows times one panel.
#[inline(always)]
fn tile<const R: usize>(rows: [&[f64]; R], panel: &[[f64; COLUMNS]]) -> [[f64; COLUMNS]; R] {
    let mut sums = [[0.0; COLUMNS]; R];
    for (k, right) in panel.iter().enumerate() {
        for (row, sums) in rows.iter().zip(&mut sums) {
            let left = row[k];
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum += left * right;
            }
        }
    }
    sums
}

/// A matrix turned over: from rows x columns to columns x rows.
pub(super) fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    let rows = matrix.len() / columns.max(1);
    (0..columns)
        .flat_map(|j| (0..rows).map(move |i| matrix[i * columns + j]))
        .collect()
}

/// The sum of products of two vectors, in order.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_the_sum_in_order_whatever_the_sizes() {
        for (rows, inner, columns) in [(1, 1, 1), (4, 3, 8), (5, 7, 9), (11, 2, 17), (3, 5, 0)] {
            let left: Vec<f64> = (0..rows * inner).map(|i| (i as f64).sin()).collect();
            let right = |k: usize, j: usize| ((k * 31 + j * 7) as f64).cos();
            let out = Packed::new(inner, columns, right).product(&left);
            let expected: Vec<f64> = (0..rows)
                .flat_map(|i| (0..columns).map(move |j| (i, j)))
                .map(|(i, j)| {
                    (0..inner).fold(0.0, |sum, k| sum + left[i * inner + k] * right(k, j))
                })
                .collect();
            assert_eq!(out, expected, "{rows} x {inner} x {columns}");
        }
    }
}
