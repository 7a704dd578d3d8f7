//! The little linear algebra that Fréchet distances need, in double precision.

/// A matrix, row after row.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) values: Vec<f64>,
}

impl Dense {
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.columns..(i + 1) * self.columns]
    }

    fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.columns..(i + 1) * self.columns]
    }

    /// `self` times the transpose of `other`.
    pub(crate) fn times_transposed(&self, other: &Self) -> Self {
        let mut values = Vec::with_capacity(self.rows * other.rows);
        for i in 0..self.rows {
            values.extend((0..other.rows).map(|j| dot(self.row(i), other.row(j))));
        }
        Self {
            rows: self.rows,
            columns: other.rows,
            values,
        }
    }

    fn transposed(&self) -> Self {
        let mut values = Vec::with_capacity(self.values.len());
        for j in 0..self.columns {
            values.extend((0..self.rows).map(|i| self.values[i * self.columns + j]));
        }
        Self {
            rows: self.columns,
            columns: self.rows,
            values,
        }
    }

    /// The upper triangular factor of a QR decomposition by Householder reflections: a matrix of
    /// `columns` rows with the same product of its transpose with itself.
    pub(crate) fn triangular(mut self) -> Self {
        for k in 0..self.columns.min(self.rows) {
            let column: Vec<f64> = (k..self.rows)
                .map(|i| self.values[i * self.columns + k])
                .collect();
            let (reflection, head) = reflection(column);
            self.reflect_rows(&reflection, k, k + 1);
            for i in k..self.rows {
                self.row_mut(i)[k] = if i == k { head } else { 0.0 };
            }
        }
        let kept = self.rows.min(self.columns);
        self.values.truncate(kept * self.columns);
        self.rows = kept;
        self
    }

    /// Rows `first..` and columns `from..` become `(I - 2 v v') A`.
    fn reflect_rows(&mut self, v: &[f64], first: usize, from: usize) {
        let mut sums = vec![0.0; self.columns - from];
        for (i, &weight) in v.iter().enumerate() {
            axpy(weight, &self.row(first + i)[from..], &mut sums);
        }
        for (i, &weight) in v.iter().enumerate() {
            axpy(-2.0 * weight, &sums, &mut self.row_mut(first + i)[from..]);
        }
    }

    /// Rows `first..` and columns `from..` become `A (I - 2 v v')`.
    fn reflect_columns(&mut self, v: &[f64], first: usize, from: usize) {
        for i in first..self.rows {
            let row = &mut self.row_mut(i)[from..];
            let along = dot(row, v);
            axpy(-2.0 * along, v, row);
        }
    }

    /// The singular values, largest first.
    ///
    /// Householder reflections from both sides leave an upper bidiagonal matrix with the same
    /// singular values (Golub and Kahan, 1965). Its entries d1, e1, d2, e2, ... beside a zero
    /// diagonal make a symmetric tridiagonal matrix whose eigenvalues are those singular values and their
    /// negatives; so nothing is squared, and small ones keep an error of the size of rounding.
    pub(crate) fn singular_values(self) -> Vec<f64> {
        let mut a = if self.rows < self.columns {
            self.transposed()
        } else {
            self
        };
        let n = a.columns;
        let mut beside = Vec::with_capacity(2 * n);
        for k in 0..n {
            let column = (k..a.rows).map(|i| a.values[i * n + k]).collect();
            let (v, head) = reflection(column);
            a.reflect_rows(&v, k, k + 1);
            beside.push(head);
            if k + 1 < n {
                let (v, head) = reflection(a.row(k)[k + 1..].to_vec());
                a.reflect_columns(&v, k + 1, k + 1);
                beside.push(head);
            }
        }
        let mut values = tridiagonal_eigenvalues(vec![0.0; 2 * n], beside);
        values.sort_by(|x, y| y.total_cmp(x));
        values.truncate(n);
        values.iter().map(|value| value.max(0.0)).collect()
    }
}

/// The unit vector v with `(I - 2 v v') x = head e1`, and `head`. All zeros where `x` is zero.
fn reflection(mut x: Vec<f64>) -> (Vec<f64>, f64) {
    let norm = dot(&x, &x).sqrt();
    if norm == 0.0 {
        return (x, 0.0);
    }
    let head = if x[0] > 0.0 { -norm } else { norm };
    x[0] -= head;
    let length = dot(&x, &x).sqrt();
    for value in &mut x {
        *value /= length;
    }
    (x, head)
}

/// Eigenvalues of a symmetric tridiagonal matrix by QL steps with implicit shifts, in no order.
/// `beside[k]` stands between `diagonal[k]` and `diagonal[k + 1]`.
fn tridiagonal_eigenvalues(mut diagonal: Vec<f64>, mut beside: Vec<f64>) -> Vec<f64> {
    let n = diagonal.len();
    beside.resize(n, 0.0);
    let scale = diagonal
        .iter()
        .chain(&beside)
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    for low in 0..n {
        // Two or three steps a value are usual; the bound only keeps bad numbers from looping.
        for _ in 0..100 {
            let small = |k: usize| beside[k].abs() <= f64::EPSILON * scale * 0.5;
            let high = (low..n - 1).find(|&k| small(k)).unwrap_or(n - 1);
            if high == low {
                break;
            }
            ql_step(&mut diagonal, &mut beside, low, high);
        }
    }
    diagonal
}

/// One QL step on rows `low..=high`: a shift near the eigenvalue at `low`, then plane rotations
/// that chase the bulge upwards.
fn ql_step(diagonal: &mut [f64], beside: &mut [f64], low: usize, high: usize) {
    let half = (diagonal[low + 1] - diagonal[low]) / (2.0 * beside[low]);
    let root = half.hypot(1.0).copysign(half);
    let shift = diagonal[low] - beside[low] / (half + root);
    let mut lead = diagonal[high] - shift;
    let (mut sine, mut cosine, mut carried) = (1.0, 1.0, 0.0);
    for k in (low..high).rev() {
        let bulge = sine * beside[k];
        let straight = cosine * beside[k];
        let length = bulge.hypot(lead);
        beside[k + 1] = length;
        if length == 0.0 {
            diagonal[k + 1] -= carried;
            beside[high] = 0.0;
            return;
        }
        sine = bulge / length;
        cosine = lead / length;
        let base = diagonal[k + 1] - carried;
        let mixed = (diagonal[k] - base) * sine + 2.0 * cosine * straight;
        carried = sine * mixed;
        diagonal[k + 1] = base + carried;
        lead = cosine * mixed - straight;
    }
    diagonal[low] -= carried;
    beside[low] = lead;
    beside[high] = 0.0;
}

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

fn axpy(factor: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += factor * x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(rows: usize, columns: usize, values: &[f64]) -> Vec<f64> {
        let dense = Dense {
            rows,
            columns,
            values: values.to_vec(),
        };
        dense.singular_values()
    }

    fn assert_near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (f, e) in found.iter().zip(expected) {
            assert!((f - e).abs() < 1e-12, "{found:?} is not {expected:?}");
        }
    }

    #[test]
    fn singular_values_of_small_matrices_are_known() {
        assert_near(
            &values(2, 2, &[3.0, 0.0, 4.0, 5.0]),
            &[45f64.sqrt(), 5f64.sqrt()],
        );
        assert_near(&values(1, 3, &[2.0, 3.0, 6.0]), &[7.0]);
        assert_near(&values(3, 2, &[0.0; 6]), &[0.0, 0.0]);
        assert_near(&values(2, 2, &[1.0, 2.0, 2.0, 4.0]), &[5.0, 0.0]);
        assert_near(
            &values(3, 3, &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]),
            &[1.0; 3],
        );
    }

    #[test]
    fn the_squares_of_singular_values_sum_to_those_of_the_entries() {
        let entries: Vec<f64> = (0..70 * 40)
            .map(|k| f64::from(k * k % 101) - 50.0)
            .collect();
        let squares: f64 = entries.iter().map(|v| v * v).sum();
        let found: f64 = values(70, 40, &entries).iter().map(|v| v * v).sum();
        assert!((found / squares - 1.0).abs() < 1e-12);
        let wide: f64 = values(40, 70, &entries).iter().map(|v| v * v).sum();
        assert!((wide / squares - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_triangular_factor_keeps_inner_products_of_columns() {
        let entries: Vec<f64> = (0..9 * 4).map(|k| f64::from(k * 7 % 13)).collect();
        let a = Dense {
            rows: 9,
            columns: 4,
            values: entries,
        };
        let gram = |m: &Dense| {
            let t = m.transposed();
            t.times_transposed(&t).values
        };
        let r = a.clone().triangular();
        assert_eq!(r.rows, 4);
        assert!((2..4).all(|i| r.row(i)[..i].iter().all(|&v| v == 0.0)));
        assert_near(
            &gram(&r),
            &gram(&a).iter().map(|v| *v + 0.0).collect::<Vec<_>>(),
        );
    }
}
