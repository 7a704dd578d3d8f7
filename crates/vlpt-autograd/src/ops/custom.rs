//! Functions with a gradient of their own.

use crate::backward::InputGradients;
use crate::shape::check_size;
use crate::{Result, Tensor};

impl Tensor {
    /// The result of a function that was computed elsewhere, such as a tower or a fused loss, as a
    /// part of the graph: its `values` of this shape, and `backward`, which gets the gradient of
    /// the values and adds the gradients of those `inputs` that [want](InputGradients::wants) one.
    ///
    /// `backward` runs at most once in each backward pass, and not at all where no input needs a
    /// gradient. What it holds is freed with the last tensor that depends on this one.
    ///
    /// # Errors
    /// A number of values that is not the product of the shape, or too many axes.
    pub fn custom(
        inputs: &[&Self],
        values: Vec<f32>,
        shape: &[usize],
        backward: impl Fn(&[f32], &mut InputGradients<'_>) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Self> {
        check_size("custom", shape, values.len())?;
        Ok(Self::computed(values, shape.to_vec(), inputs, backward))
    }
}
