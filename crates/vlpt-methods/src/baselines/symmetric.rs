//! Symmetric matrices in f64. Decompositions are `nalgebra`'s, each in one thread.

use nalgebra::{DMatrix, DMatrixView};
use rayon::prelude::*;
use vlpt_kernels::matrix_product;

/// Rows of features that are taken together, in f64: a constant, so that sums have one order.
const ROWS: usize = 2048;
/// Right sides that one thread solves at a time.
const SIDES: usize = 32;

/// `sum over n of x_n x_n'` (width x width) of so many rows; `fill` writes row `n`.
pub(super) fn scatter(
    rows: usize,
    width: usize,
    fill: impl Fn(usize, &mut [f64]) + Sync,
) -> Vec<f64> {
    let mut sum = vec![0.0; width * width];
    let mut part = sum.clone();
    let mut block = vec![0.0; ROWS.min(rows) * width];
    for first in (0..rows).step_by(ROWS) {
        let count = ROWS.min(rows - first);
        let block = &mut block[..count * width];
        block
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(n, row)| fill(first + n, row));
        matrix_product(
            (width, width, count),
            (block, true),
            (block, false),
            &mut part,
        );
        sum.iter_mut()
            .zip(&part)
            .for_each(|(sum, part)| *sum += part);
    }
    sum
}

/// The solution `x` of `matrix x = b` for each row `b` of `sides` (rows x width); none where the
/// matrix (width x width, of which the lower triangle is read) is not positive definite.
pub(super) fn solve(matrix: &[f64], width: usize, sides: &[f64]) -> Option<Vec<f64>> {
    // Rows of a symmetric matrix are its columns.
    let cholesky = DMatrix::from_row_slice(width, width, matrix).cholesky()?;
    let mut solved = sides.to_vec();
    solved.par_chunks_mut(SIDES * width).for_each(|sides| {
        let count = sides.len() / width;
        let columns = DMatrixView::from_slice(sides, width, count);
        let found = cholesky.solve(&columns);
        sides.copy_from_slice(found.as_slice());
    });
    Some(solved)
}

/// The largest eigenvalue of a finite symmetric matrix (width x width).
pub(super) fn largest_eigenvalue(matrix: &[f64], width: usize) -> f64 {
    let values = DMatrix::from_row_slice(width, width, matrix).symmetric_eigenvalues();
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(n: usize, k: usize) -> f64 {
        ((n * n + 3 * n * k + 7 * k * k) as f64 * 0.7).sin()
    }

    fn example(rows: usize) -> Vec<f64> {
        scatter(rows, 5, |n, row| {
            for (k, value) in row.iter_mut().enumerate() {
                *value = wave(n, k);
            }
        })
    }

    #[test]
    fn a_scatter_is_the_sum_of_the_rows_products() {
        for rows in [1, 7, ROWS, ROWS + 3] {
            let found = example(rows);
            for (i, value) in found.iter().enumerate() {
                let expected: f64 = (0..rows).map(|n| wave(n, i / 5) * wave(n, i % 5)).sum();
                assert!((value - expected).abs() < 1e-9, "{rows} rows: {i}");
            }
        }
    }

    #[test]
    fn what_is_solved_gives_the_right_sides_back() {
        let matrix = example(9);
        let sides: Vec<f64> = (0..3 * 5).map(|i| i as f64 - 6.0).collect();
        let solved = solve(&matrix, 5, &sides).unwrap();
        for (x, side) in solved.chunks_exact(5).zip(sides.chunks_exact(5)) {
            for (row, &expected) in matrix.chunks_exact(5).zip(side) {
                let found: f64 = row.iter().zip(x).map(|(a, b)| a * b).sum();
                assert!((found - expected).abs() < 1e-9);
            }
        }
        assert_eq!(solve(&[1.0, 2.0, 2.0, 1.0], 2, &[1.0, 1.0]), None);
    }

    #[test]
    fn the_largest_eigenvalue_is_that_of_the_matrix() {
        // Eigenvalues 3 and 1.
        assert!((largest_eigenvalue(&[2.0, 1.0, 1.0, 2.0], 2) - 3.0).abs() < 1e-12);
        assert_eq!(largest_eigenvalue(&[-4.0], 1), -4.0);
    }
}
