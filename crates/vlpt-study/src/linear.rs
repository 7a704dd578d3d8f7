//! The little linear algebra that similarities need, in double precision.
//!
//! Decompositions are `nalgebra`'s, which works in one thread; products are sums in a fixed order.
//! So equal inputs give equal bits, whatever the number of threads.

use nalgebra::DMatrix;

/// Sum of products, in four running sums so that the processor can work on them side by side. The
/// order is fixed: equal inputs give equal bits.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut sums = [0.0; 4];
    let (xs, x_rest) = x.as_chunks::<4>();
    let (ys, y_rest) = y.as_chunks::<4>();
    for (a, b) in xs.iter().zip(ys) {
        for lane in 0..4 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = x_rest.iter().zip(y_rest).map(|(a, b)| a * b).sum();
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// `A' B`, A and B being `n x a` and `n x b`: the products of their columns, `a x b`.
pub(crate) fn column_products(a: &DMatrix<f64>, b: &DMatrix<f64>) -> DMatrix<f64> {
    let (left, right) = (columns(a), columns(b));
    DMatrix::from_fn(a.ncols(), b.ncols(), |i, j| dot(left[i], right[j]))
}

fn columns(matrix: &DMatrix<f64>) -> Vec<&[f64]> {
    let rows = matrix.nrows().max(1);
    matrix.as_slice().chunks_exact(rows).collect()
}

/// At most `n` columns with the same product `A A'` as those of A (`n x m`): A itself, or the
/// transpose of the triangular factor of a QR decomposition of `A'`.
pub(crate) fn fewer_columns(a: DMatrix<f64>) -> DMatrix<f64> {
    if a.ncols() <= a.nrows() {
        return a;
    }
    a.transpose().qr().r().transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_columns_keep_the_product() {
        let wide = DMatrix::from_fn(4, 9, |i, j| ((4 * j + i) * 7 % 13) as f64);
        let kept = fewer_columns(wide.clone());
        assert_eq!(kept.shape(), (4, 4));
        let far = &kept * kept.transpose() - &wide * wide.transpose();
        assert!(far.iter().all(|v| v.abs() < 1e-10), "{far}");
        let tall = wide.transpose();
        assert_eq!(fewer_columns(tall.clone()), tall);
    }

    #[test]
    fn products_of_columns_are_those_of_the_matrices() {
        let a = DMatrix::from_fn(6, 3, |i, j| (i + 10 * j) as f64);
        let b = DMatrix::from_fn(6, 2, |i, j| (i * j) as f64 - 2.0);
        assert_eq!(column_products(&a, &b), a.transpose() * b);
    }

    #[test]
    fn singular_values_are_right_for_matrices_without_full_rank() {
        let values = |rows, columns, entries: &[f64]| {
            let mut found = DMatrix::from_row_slice(rows, columns, entries)
                .singular_values()
                .as_slice()
                .to_vec();
            found.sort_by(|x, y| y.total_cmp(x));
            found
        };
        let near = |found: Vec<f64>, expected: &[f64]| {
            assert_eq!(found.len(), expected.len());
            for (f, e) in found.iter().zip(expected) {
                assert!((f - e).abs() < 1e-12, "{found:?} is not {expected:?}");
            }
        };
        near(values(2, 2, &[1.0, 2.0, 2.0, 4.0]), &[5.0, 0.0]);
        near(values(3, 2, &[0.0; 6]), &[0.0, 0.0]);
        near(values(1, 3, &[2.0, 3.0, 6.0]), &[7.0]);
    }
}
