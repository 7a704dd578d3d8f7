//! Operations on two tensors, element by element, with broadcasting.

use std::borrow::Cow;
use std::sync::Arc;

use crate::shape::{broadcast, check_rank, expand};
use crate::sum::sum_to;
use crate::{Result, Tensor};

impl Tensor {
    /// `self + other`, broadcast.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn add(&self, other: &Self) -> Result<Self> {
        let d = |g: f32, _: f32, _: f32| g;
        self.binary("add", other, |a, b| a + b, d, d)
    }

    /// `self - other`, broadcast.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.binary("sub", other, |a, b| a - b, |g, _, _| g, |g, _, _| -g)
    }

    /// `self * other`, broadcast.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        self.binary("mul", other, |a, b| a * b, |g, _, b| g * b, |g, a, _| g * a)
    }

    /// `self / other`, broadcast.
    ///
    /// # Errors
    /// Shapes that do not fit each other.
    pub fn div(&self, other: &Self) -> Result<Self> {
        let d_other = |g: f32, a: f32, b: f32| -(g * a / (b * b));
        self.binary("div", other, |a, b| a / b, |g, _, b| g / b, d_other)
    }

    /// `forward(a, b)` of every pair; `d_self` and `d_other` make the gradient by `a` and `b` from
    /// that of the result, `a` and `b`.
    fn binary(
        &self,
        operation: &'static str,
        other: &Self,
        forward: impl Fn(f32, f32) -> f32,
        d_self: impl Fn(f32, f32, f32) -> f32 + Send + Sync + 'static,
        d_other: impl Fn(f32, f32, f32) -> f32 + Send + Sync + 'static,
    ) -> Result<Self> {
        let shape = broadcast(operation, self.shape(), other.shape())?;
        check_rank(operation, &shape)?;
        let operands = Operands {
            a: (self.values(), self.shape().to_vec()),
            b: (other.values(), other.shape().to_vec()),
            shape: shape.clone(),
        };
        let values: Vec<f32> = {
            let (a, b) = operands.expanded();
            a.iter().zip(&*b).map(|(&a, &b)| forward(a, b)).collect()
        };
        Ok(Self::computed(
            values,
            shape,
            &[self, other],
            move |gradient, inputs| {
                let (a, b) = operands.expanded();
                let all = || gradient.iter().zip(a.iter().zip(&*b));
                if inputs.wants(0) {
                    let d: Vec<f32> = all().map(|(&g, (&a, &b))| d_self(g, a, b)).collect();
                    inputs.add(0, operands.summed(d, &operands.a.1))?;
                }
                if inputs.wants(1) {
                    let d: Vec<f32> = all().map(|(&g, (&a, &b))| d_other(g, a, b)).collect();
                    inputs.add(1, operands.summed(d, &operands.b.1))?;
                }
                Ok(())
            },
        ))
    }
}

/// Values and shapes of two operands, and the shape that they have together.
struct Operands {
    a: (Arc<Vec<f32>>, Vec<usize>),
    b: (Arc<Vec<f32>>, Vec<usize>),
    shape: Vec<usize>,
}

impl Operands {
    /// The values, both in the common shape.
    fn expanded(&self) -> (Cow<'_, [f32]>, Cow<'_, [f32]>) {
        let of = |(values, shape)| Self::expand(values, shape, &self.shape);
        let ((a, a_shape), (b, b_shape)) = (&self.a, &self.b);
        (of((a, a_shape)), of((b, b_shape)))
    }

    fn expand<'a>(values: &'a [f32], from: &[usize], to: &[usize]) -> Cow<'a, [f32]> {
        if from == to {
            Cow::Borrowed(values)
        } else {
            Cow::Owned(expand(values, from, to))
        }
    }

    /// A gradient in the common shape, summed to an operand's.
    fn summed(&self, gradient: Vec<f32>, shape: &[usize]) -> Vec<f32> {
        if shape == self.shape {
            gradient
        } else {
            sum_to(&gradient, &self.shape, shape)
        }
    }
}
