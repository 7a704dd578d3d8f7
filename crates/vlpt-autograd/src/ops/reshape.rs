//! The same values in another shape, repeated, or with axes exchanged.

use crate::shape::{axis_of, broadcast, check_rank, check_size, expand, size};
use crate::sum::sum_to;
use crate::{Result, Tensor, TensorError};

impl Tensor {
    /// The same values in a shape of as many. They are not copied.
    ///
    /// # Errors
    /// A shape of another number of values, or too many axes.
    pub fn reshape(&self, shape: &[usize]) -> Result<Self> {
        check_size("reshape", shape, self.len())?;
        Ok(self.reshaped(shape.to_vec()))
    }

    /// One more axis, of length 1, in front of the axis `axis`; -1 is behind the last one.
    ///
    /// # Errors
    /// A place that is not there, or too many axes.
    pub fn unsqueeze(&self, axis: isize) -> Result<Self> {
        let mut shape = self.shape().to_vec();
        let place = axis_of("unsqueeze", &[shape.as_slice(), &[1]].concat(), axis)?;
        shape.insert(place, 1);
        check_rank("unsqueeze", &shape)?;
        Ok(self.reshaped(shape))
    }

    /// Without an axis of length 1.
    ///
    /// # Errors
    /// An axis that is not there, or longer.
    pub fn squeeze(&self, axis: isize) -> Result<Self> {
        let mut shape = self.shape().to_vec();
        let place = axis_of("squeeze", &shape, axis)?;
        if shape[place] != 1 {
            return Err(TensorError::Shape {
                operation: "squeeze",
                found: shape,
                expected: format!("length 1 along axis {axis}"),
            });
        }
        shape.remove(place);
        Ok(self.reshaped(shape))
    }

    /// Repeated to a larger shape by numpy's rules.
    ///
    /// # Errors
    /// A shape that this one cannot be repeated to, or too many axes.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Self> {
        check_rank("broadcast_to", shape)?;
        if broadcast("broadcast_to", self.shape(), shape)? != shape {
            return Err(TensorError::Shapes {
                operation: "broadcast_to",
                left: self.shape().to_vec(),
                right: shape.to_vec(),
            });
        }
        let (small, large) = (self.shape().to_vec(), shape.to_vec());
        let values = expand(&self.values(), &small, &large);
        Ok(Self::computed(
            values,
            shape.to_vec(),
            &[self],
            move |gradient, inputs| inputs.add(0, sum_to(gradient, &large, &small)),
        ))
    }

    /// The last two axes exchanged.
    ///
    /// # Errors
    /// Fewer than two axes.
    pub fn transpose(&self) -> Result<Self> {
        let mut shape = self.shape().to_vec();
        let [.., rows, columns] = shape.as_mut_slice() else {
            return Err(TensorError::Shape {
                operation: "transpose",
                found: shape,
                expected: "at least 2 axes".to_owned(),
            });
        };
        let (own_rows, own_columns) = (*rows, *columns);
        std::mem::swap(rows, columns);
        let values = transposed(&self.values(), own_rows, own_columns);
        Ok(Self::computed(
            values,
            shape,
            &[self],
            move |gradient, inputs| inputs.add(0, transposed(gradient, own_columns, own_rows)),
        ))
    }

    /// The same values in a shape that is known to have as many.
    pub(crate) fn reshaped(&self, shape: Vec<usize>) -> Self {
        Self::computed(self.values(), shape, &[self], |gradient, inputs| {
            inputs.add(0, gradient.to_vec())
        })
    }
}

/// Matrices (rows x columns), one after another, each transposed.
fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let matrix = size(&[rows, columns]).max(1);
    let mut out = Vec::with_capacity(values.len());
    for values in values.chunks_exact(matrix) {
        for column in 0..columns {
            out.extend(values[column..].iter().step_by(columns));
        }
    }
    out
}
