//! A tensor that training changes.

use std::ops::Deref;

use crate::shape::check_size;
use crate::{Result, Tensor};

/// A leaf of the graph: a tensor that gets a gradient and whose values can be set. It is a
/// [`Tensor`] by dereference; clones of it, and of its tensor, are the same variable.
#[derive(Debug, Clone)]
pub struct Var(Tensor);

impl Var {
    /// A variable of row-major values.
    ///
    /// # Errors
    /// A number of values that is not the product of the shape, or too many axes.
    pub fn new(values: Vec<f32>, shape: &[usize]) -> Result<Self> {
        check_size("variable", shape, values.len())?;
        Ok(Self(Tensor::leaf(values, shape.to_vec())))
    }

    /// The variable as the tensor that operations take.
    pub fn as_tensor(&self) -> &Tensor {
        &self.0
    }

    /// Replaces the values, row-major. What was computed before keeps its values, and its
    /// gradients are those at the old values.
    ///
    /// # Errors
    /// A number of values that differs from the variable's.
    pub fn set(&self, values: &[f32]) -> Result<()> {
        check_size("set", self.shape(), values.len())?;
        self.0.replace(values.to_vec());
        Ok(())
    }
}

impl Deref for Var {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.0
    }
}
