//! Sums and means.

use crate::shape::{axis_of, expand};
use crate::sum::sum_to;
use crate::{Result, Tensor};

impl Tensor {
    /// The sum of all values, without axes.
    #[must_use]
    pub fn sum_all(&self) -> Self {
        self.summed(vec![1; self.rank()]).reshaped(Vec::new())
    }

    /// The mean of all values, without axes; not a number where there is none.
    #[must_use]
    pub fn mean_all(&self) -> Self {
        self.sum_all() * (1.0 / self.len() as f64)
    }

    /// The sum along an axis, which is then gone.
    ///
    /// # Errors
    /// An axis that is not there.
    pub fn sum(&self, axis: isize) -> Result<Self> {
        let sums = self.sum_keepdim(axis)?;
        sums.squeeze(axis)
    }

    /// The sum along an axis, which is left with length 1.
    ///
    /// # Errors
    /// An axis that is not there.
    pub fn sum_keepdim(&self, axis: isize) -> Result<Self> {
        let mut shape = self.shape().to_vec();
        shape[axis_of("sum", self.shape(), axis)?] = 1;
        Ok(self.summed(shape))
    }

    /// The mean along an axis, which is then gone.
    ///
    /// # Errors
    /// An axis that is not there.
    pub fn mean(&self, axis: isize) -> Result<Self> {
        let means = self.mean_keepdim(axis)?;
        means.squeeze(axis)
    }

    /// The mean along an axis, which is left with length 1.
    ///
    /// # Errors
    /// An axis that is not there.
    pub fn mean_keepdim(&self, axis: isize) -> Result<Self> {
        let length = self.shape()[axis_of("mean", self.shape(), axis)?];
        Ok(self.sum_keepdim(axis)? * (1.0 / length as f64))
    }

    /// The sum to a shape of as many axes that broadcasts to this one.
    fn summed(&self, shape: Vec<usize>) -> Self {
        let whole = self.shape().to_vec();
        let values = sum_to(&self.values(), &whole, &shape);
        let small = shape.clone();
        Self::computed(values, shape, &[self], move |gradient, inputs| {
            inputs.add(0, expand(gradient, &small, &whole))
        })
    }
}
