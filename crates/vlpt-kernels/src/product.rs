//! One matrix product on the calling thread.

use gemm::Parallelism;

/// A matrix somewhere in a slice: element (i, j) is at `i * rows + j * columns`.
#[derive(Clone, Copy)]
pub(crate) struct Strided<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl<'a> Strided<'a> {
    /// Rows of `stride` elements, one after another.
    pub(crate) fn new(data: &'a [f32], stride: usize) -> Self {
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

/// `c = scale a b`, or `c += scale a b`; `a`: m x k, `b`: k x n, `c`: m x n, rows without gaps.
pub(crate) fn multiply(
    (m, n, k): (usize, usize, usize),
    a: Strided,
    b: Strided,
    scale: f32,
    add: bool,
    c: &mut [f32],
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
pub(crate) unsafe fn multiply_into(
    (m, n, k): (usize, usize, usize),
    a: Strided,
    b: Strided,
    scale: f32,
    add: bool,
    c: *mut f32,
    stride: usize,
) {
    let strides = |matrix: &Strided| (matrix.columns as isize, matrix.rows as isize);
    let ((a_columns, a_rows), (b_columns, b_rows)) = (strides(&a), strides(&b));
    // SAFETY: the caller's promise.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            c,
            1,
            stride as isize,
            add,
            a.data.as_ptr(),
            a_columns,
            a_rows,
            b.data.as_ptr(),
            b_columns,
            b_rows,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
