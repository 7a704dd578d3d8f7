//! Products of dense matrices in f64.

use rayon::prelude::*;
use vlpt_kernels::matrix_product;

/// Rows of a result that one thread makes at a time: a constant, so that a result has the same
/// bits with any number of threads.
const ROWS: usize = 32;

/// The right side of a product, row-major.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right<'a> {
    /// As it is: inner x columns.
    Plain(&'a [f64]),
    /// As its transpose: columns x inner.
    Transposed(&'a [f64]),
}

/// `left` (rows x inner, row-major) times `right`, row-major (rows x columns).
pub(super) fn product(left: &[f64], inner: usize, right: Right) -> Vec<f64> {
    let (right, transposed) = match right {
        Right::Plain(right) => (right, false),
        Right::Transposed(right) => (right, true),
    };
    let columns = right.len() / inner.max(1);
    if inner == 0 || columns == 0 {
        return Vec::new();
    }
    let mut out = vec![0.0; left.len() / inner * columns];
    out.par_chunks_mut(ROWS * columns)
        .zip(left.par_chunks(ROWS * inner))
        .for_each(|(out, left)| {
            let sizes = (left.len() / inner, columns, inner);
            matrix_product(sizes, (left, false), (right, transposed), out);
        });
    out
}

/// A matrix turned over: from rows x columns to columns x rows.
pub(super) fn transposed(matrix: &[f64], columns: usize) -> Vec<f64> {
    let rows = matrix.len() / columns.max(1);
    (0..columns)
        .flat_map(|j| (0..rows).map(move |i| matrix[i * columns + j]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that every sum is exact.
    fn matrix(rows: usize, columns: usize) -> Vec<f64> {
        (0..rows * columns)
            .map(|i| (i * 7 % 11) as f64 - 5.0)
            .collect()
    }

    #[test]
    fn a_product_is_the_sum_whatever_the_sizes_and_either_way_round() {
        for (rows, inner, columns) in [(1, 1, 1), (4, 3, 8), (33, 7, 9), (70, 40, 17), (3, 5, 0)] {
            let (left, right) = (matrix(rows, inner), matrix(inner, columns));
            let expected: Vec<f64> = (0..rows)
                .flat_map(|i| (0..columns).map(move |j| (i, j)))
                .map(|(i, j)| {
                    let terms = (0..inner).map(|k| left[i * inner + k] * right[k * columns + j]);
                    terms.sum()
                })
                .collect();
            let sizes = format!("{rows} x {inner} x {columns}");
            assert_eq!(
                product(&left, inner, Right::Plain(&right)),
                expected,
                "{sizes}"
            );
            let turned = transposed(&right, columns);
            let found = product(&left, inner, Right::Transposed(&turned));
            assert_eq!(found, expected, "{sizes}");
        }
    }
}
