//! Matrix products: one on the calling thread, and one shared among threads.

use gemm_common::Parallelism;
use rayon::prelude::*;

/// Rows of a result that one thread makes at a time, at least and at most. Each block packs the other
/// operand anew, so that few large ones are quicker where there are rows enough.
const BLOCK: [usize; 2] = [128, 512];
/// Blocks that a result has at least, where its rows allow it: what several threads can share.
const BLOCKS: usize = 4;
/// Fewer multiplications than these (a fraction of a millisecond) are not worth a second thread.
const SHARED: usize = 1 << 23;

/// A number that matrices are made of.
pub trait Element: Copy + Send + Sync + private::Sealed + 'static {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
}

impl Element for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

impl Element for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;
}

/// A product of the `gemm` family: sizes; the result with strides of its columns and rows, and
/// whether it is added to; both operands likewise; the factors of the result and of the product;
/// three flags of complex numbers; threads.
type Gemm<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

// The parts of `gemm` for real numbers alone: its complex and f16 parts cost a first build seconds.
mod private {
    use super::Gemm;

    /// Only the numbers that the products are written for.
    pub trait Sealed: Sized {
        /// The product for this processor.
        fn gemm() -> Gemm<Self>;
    }
    impl Sealed for f32 {
        fn gemm() -> Gemm<Self> {
            gemm_f32::gemm::f32::get_gemm_fn()
        }
    }
    impl Sealed for f64 {
        fn gemm() -> Gemm<Self> {
            gemm_f64::gemm::f64::get_gemm_fn()
        }
    }
}

/// A matrix somewhere in a slice: element (i, j) is at `i * rows + j * columns`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a, T = f32> {
    pub(crate) data: &'a [T],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl<'a, T> Strided<'a, T> {
    /// Rows of `stride` elements, one after another.
    pub(crate) fn new(data: &'a [T], stride: usize) -> Self {
        Self {
            data,
            rows: stride,
            columns: 1,
        }
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
        }
    }

    fn holds(&self, rows: usize, columns: usize) -> bool {
        (rows - 1) * self.rows + (columns - 1) * self.columns < self.data.len()
    }
}

/// `c = a b`, where `a` is m x k, `b` is k x n and `c` is m x n, all row-major without gaps.
///
/// A transposed operand lies in memory as its transpose: `a` as k x m, or `b` as n x k. Blocks of
/// rows of a large product are shared among the threads of the current pool.
///
/// # Panics
/// A slice whose length is not that of its matrix.
pub fn matrix_product<T: Element>(
    (m, n, k): (usize, usize, usize),
    (a, a_transposed): (&[T], bool),
    (b, b_transposed): (&[T], bool),
    c: &mut [T],
) {
    assert!(
        a.len() == m * k && b.len() == k * n && c.len() == m * n,
        "matrices of a product"
    );
    if m == 0 || n == 0 || k == 0 {
        c.fill(T::ZERO);
        return;
    }
    let right = if b_transposed {
        Strided::new(b, k).transposed()
    } else {
        Strided::new(b, n)
    };
    let size = rows_at_once(m);
    let block = |(index, c): (usize, &mut [T])| {
        let first = index * size;
        let left = if a_transposed {
            Strided::new(&a[first..], m).transposed()
        } else {
            Strided::new(&a[first * k..], k)
        };
        multiply((c.len() / n, n, k), left, right, T::ONE, false, c);
    };
    if m * n * k < SHARED {
        c.chunks_mut(size * n).enumerate().for_each(block);
    } else {
        c.par_chunks_mut(size * n).enumerate().for_each(block);
    }
}

/// Rows of a block of a result of `m` rows. It depends on nothing else, so that a product has the same
/// bits with any number of threads.
fn rows_at_once(m: usize) -> usize {
    let [least, most] = BLOCK;
    m.div_ceil(BLOCKS).next_multiple_of(32).clamp(least, most)
}

/// `c = scale a b`, or `c += scale a b`; `a`: m x k, `b`: k x n, `c`: m x n, rows without gaps.
pub(crate) fn multiply<T: Element>(
    (m, n, k): (usize, usize, usize),
    a: Strided<T>,
    b: Strided<T>,
    scale: T,
    add: bool,
    c: &mut [T],
) {
    assert!(
        m > 0 && n > 0 && k > 0 && c.len() == m * n,
        "result of a product"
    );
    assert!(a.holds(m, k) && b.holds(k, n), "operand of a product");
    // SAFETY: c holds m x n elements, and the operands hold theirs by the assertions.
    unsafe { multiply_into((m, n, k), a, b, scale, add, c.as_mut_ptr(), n) }
}

/// As [`multiply`], `c` with rows of `stride` elements.
///
/// # Safety
/// The operands hold m x k and k x n elements, `c` points to m rows of n writable elements that
/// nobody else reads or writes meanwhile.
pub(crate) unsafe fn multiply_into<T: Element>(
    (m, n, k): (usize, usize, usize),
    a: Strided<T>,
    b: Strided<T>,
    scale: T,
    add: bool,
    c: *mut T,
    stride: usize,
) {
    // The kernels write columns: with rows that lie together, the transposed product is the quick one.
    let swap = stride > 1;
    let (m, n, a, b) = if swap {
        (n, m, b.transposed(), a.transposed())
    } else {
        (m, n, a, b)
    };
    let (c_columns, c_rows) = if swap {
        (stride as isize, 1)
    } else {
        (1, stride as isize)
    };
    // SAFETY: the caller's promise.
    unsafe {
        T::gemm()(
            m,
            n,
            k,
            c,
            c_columns,
            c_rows,
            add,
            a.data.as_ptr(),
            a.columns as isize,
            a.rows as isize,
            b.data.as_ptr(),
            b.columns as isize,
            b.rows as isize,
            T::ONE,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small whole numbers, so that every sum is exact.
    fn matrix(rows: usize, columns: usize) -> Vec<f32> {
        (0..rows * columns)
            .map(|i| (i * 7 % 11) as f32 - 5.0)
            .collect()
    }

    fn doubles(matrix: &[f32]) -> Vec<f64> {
        matrix.iter().map(|&v| f64::from(v)).collect()
    }

    fn transpose(matrix: &[f32], columns: usize) -> Vec<f32> {
        let rows = matrix.len() / columns;
        (0..matrix.len())
            .map(|i| matrix[i % rows * columns + i / rows])
            .collect()
    }

    #[test]
    fn operands_may_lie_transposed() {
        for (m, n, k) in [
            (3, 4, 5),
            (1, 1, 1),
            (300, 7, 3),
            (128, 2, 9),
            (129, 33, 1),
            (260, 130, 250),
        ] {
            let (a, b) = (matrix(m, k), matrix(k, n));
            let expected: Vec<f32> = (0..m * n)
                .map(|i| (0..k).map(|l| a[i / n * k + l] * b[l * n + i % n]).sum())
                .collect();
            let (a_t, b_t) = (transpose(&a, k), transpose(&b, n));
            for left in [(&a, false), (&a_t, true)] {
                for right in [(&b, false), (&b_t, true)] {
                    let mut c = vec![f32::NAN; m * n];
                    matrix_product((m, n, k), (left.0, left.1), (right.0, right.1), &mut c);
                    assert_eq!(c, expected, "{m} {n} {k} {} {}", left.1, right.1);
                    let (a, b) = (doubles(left.0), doubles(right.0));
                    let mut c = vec![f64::NAN; m * n];
                    matrix_product((m, n, k), (&a, left.1), (&b, right.1), &mut c);
                    assert_eq!(c, doubles(&expected), "f64 {m} {n} {k}");
                }
            }
        }
    }

    #[test]
    fn a_sum_of_nothing_is_zero() {
        let mut c = [1.0; 6];
        matrix_product((2, 3, 0), (&[], false), (&[], false), &mut c);
        assert_eq!(c, [0.0; 6]);
        matrix_product((0, 3, 2), (&[], false), (&[0.0; 6], false), &mut []);
    }
}
