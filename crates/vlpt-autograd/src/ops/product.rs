//! Matrix products, in the kernels and the threads of the towers.

use vlpt_kernels::matrix_product;

use crate::{Result, Tensor, TensorError};

impl Tensor {
    /// `self other`: (m x k) by (k x n) gives (m x n).
    ///
    /// # Errors
    /// Anything but two matrices that fit each other.
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        product((self, false), (other, false))
    }

    /// `self other^T`: (m x k) by (n x k) gives (m x n). The transpose is never made.
    ///
    /// # Errors
    /// Anything but two matrices that fit each other.
    pub fn matmul_nt(&self, other: &Self) -> Result<Self> {
        product((self, false), (other, true))
    }

    /// `self^T other`: (k x m) by (k x n) gives (m x n). The transpose is never made.
    ///
    /// # Errors
    /// Anything but two matrices that fit each other.
    pub fn matmul_tn(&self, other: &Self) -> Result<Self> {
        product((self, true), (other, false))
    }
}

/// The product of two matrices, each of which may be meant as its transpose.
fn product((a, a_t): (&Tensor, bool), (b, b_t): (&Tensor, bool)) -> Result<Tensor> {
    let misfit = || TensorError::Shapes {
        operation: match (a_t, b_t) {
            (false, false) => "matmul",
            (false, true) => "matmul_nt",
            _ => "matmul_tn",
        },
        left: a.shape().to_vec(),
        right: b.shape().to_vec(),
    };
    let ([rows, columns], [inner, across]) = (a.shape(), b.shape()) else {
        return Err(misfit());
    };
    let (m, k) = if a_t {
        (*columns, *rows)
    } else {
        (*rows, *columns)
    };
    let (inner, n) = if b_t {
        (*across, *inner)
    } else {
        (*inner, *across)
    };
    if inner != k {
        return Err(misfit());
    }
    let (a_values, b_values) = (a.values(), b.values());
    let multiply = |sizes: (usize, usize, usize), a: (&[f32], bool), b: (&[f32], bool)| {
        let mut c = vec![0.0; sizes.0 * sizes.1];
        matrix_product(sizes, a, b, &mut c);
        c
    };
    let c = multiply((m, n, k), (&a_values, a_t), (&b_values, b_t));
    // With c = a b: d_a = d_c b^T and d_b = a^T d_c, both in the layout of their operand.
    Ok(Tensor::computed(
        c,
        vec![m, n],
        &[a, b],
        move |d_c, inputs| {
            if inputs.wants(0) {
                let d_a = if a_t {
                    multiply((k, m, n), (&b_values, b_t), (d_c, true))
                } else {
                    multiply((m, k, n), (d_c, false), (&b_values, !b_t))
                };
                inputs.add(0, d_a)?;
            }
            if inputs.wants(1) {
                let d_b = if b_t {
                    multiply((n, k, m), (d_c, true), (&a_values, a_t))
                } else {
                    multiply((k, n, m), (&a_values, !a_t), (d_c, false))
                };
                inputs.add(1, d_b)?;
            }
            Ok(())
        },
    ))
}
