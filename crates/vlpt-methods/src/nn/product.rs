//! Matrix products that autograd follows.
//!
//! The tensor library's own product reads the list of processors from the operating system on
//! every call, which takes longer than the small products here, and has threads of its own. This
//! one runs in the same threads as the towers.

use candle_core::{CpuStorage, CustomOp2, Layout, Shape, Tensor, bail};
use vlpt_kernels::matrix_product;

use crate::Result;

/// `x w^T`: (tokens x inputs) by (outputs x inputs) gives (tokens x outputs).
pub(crate) fn by_transposed(x: &Tensor, w: &Tensor) -> Result<Tensor> {
    Ok(product(x, false, w, true)?)
}

/// `a b`: (m x k) by (k x n) gives (m x n).
pub(crate) fn by(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    Ok(product(a, false, b, false)?)
}

fn product(
    a: &Tensor,
    a_transposed: bool,
    b: &Tensor,
    b_transposed: bool,
) -> candle_core::Result<Tensor> {
    let product = Product {
        a_transposed,
        b_transposed,
    };
    a.contiguous()?.apply_op2(&b.contiguous()?, product)
}

/// The product of two matrices, each of which may be meant as its transpose.
struct Product {
    a_transposed: bool,
    b_transposed: bool,
}

impl CustomOp2 for Product {
    fn name(&self) -> &'static str {
        "matrix product"
    }

    fn cpu_fwd(
        &self,
        a: &CpuStorage,
        a_layout: &Layout,
        b: &CpuStorage,
        b_layout: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (rows, columns) = a_layout.shape().dims2()?;
        let (m, k) = if self.a_transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let (rows, columns) = b_layout.shape().dims2()?;
        let (inner, n) = if self.b_transposed {
            (columns, rows)
        } else {
            (rows, columns)
        };
        if inner != k {
            bail!("a matrix of {k} columns cannot be multiplied by one of {inner} rows");
        }
        let mut c = vec![0.0; m * n];
        matrix_product(
            (m, n, k),
            (values(a, a_layout)?, self.a_transposed),
            (values(b, b_layout)?, self.b_transposed),
            &mut c,
        );
        Ok((CpuStorage::F32(c), (m, n).into()))
    }

    /// With `c = a b`: `d_a = d_c b^T` and `d_b = a^T d_c`, both in the layout of their operand.
    fn bwd(
        &self,
        a: &Tensor,
        b: &Tensor,
        _c: &Tensor,
        d_c: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>)> {
        let d_a = if self.a_transposed {
            product(b, self.b_transposed, d_c, true)?
        } else {
            product(d_c, false, b, !self.b_transposed)?
        };
        let d_b = if self.b_transposed {
            product(d_c, true, a, self.a_transposed)?
        } else {
            product(a, !self.a_transposed, d_c, false)?
        };
        Ok((Some(d_a), Some(d_b)))
    }
}

/// The values of a contiguous f32 tensor.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match (storage, layout.contiguous_offsets()) {
        (CpuStorage::F32(values), Some((start, end))) => Ok(&values[start..end]),
        _ => bail!("a matrix product needs contiguous f32 values"),
    }
}
