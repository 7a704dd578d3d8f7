//! Tensors put together along an axis.

use std::borrow::Borrow;

use crate::shape::{around, axis_of};
use crate::{Result, Tensor, TensorError};

impl Tensor {
    /// One behind the other along an axis; the other axes are the same in all.
    ///
    /// # Errors
    /// No tensor, an axis that is not there, or other shapes.
    pub fn cat<T: Borrow<Self>>(parts: &[T], axis: isize) -> Result<Self> {
        let parts: Vec<&Self> = parts.iter().map(Borrow::borrow).collect();
        let first = parts
            .first()
            .ok_or(TensorError::Nothing { operation: "cat" })?;
        let axis = axis_of("cat", first.shape(), axis)?;
        let mut shape = first.shape().to_vec();
        shape[axis] = 0;
        for part in &parts {
            let mut same = part.shape().to_vec();
            if same.len() == shape.len() {
                same[axis] = shape[axis];
            }
            if same != shape {
                return Err(TensorError::Shapes {
                    operation: "cat",
                    left: first.shape().to_vec(),
                    right: part.shape().to_vec(),
                });
            }
            shape[axis] += part.shape()[axis];
        }
        let (outer, _, inner) = around(&shape, axis);
        let lengths: Vec<usize> = parts.iter().map(|p| p.shape()[axis] * inner).collect();
        let row: usize = lengths.iter().sum();
        let sources: Vec<_> = parts.iter().map(|part| part.values()).collect();
        let mut values = Vec::with_capacity(outer * row);
        for i in 0..outer {
            for (source, length) in sources.iter().zip(&lengths) {
                values.extend_from_slice(&source[i * length..(i + 1) * length]);
            }
        }
        Ok(Self::computed(
            values,
            shape,
            &parts,
            move |gradient, inputs| {
                let mut start = 0;
                for (index, length) in lengths.iter().enumerate() {
                    if inputs.wants(index) {
                        let rows = (0..outer).flat_map(|i| &gradient[i * row + start..][..*length]);
                        inputs.add(index, rows.copied().collect())?;
                    }
                    start += length;
                }
                Ok(())
            },
        ))
    }

    /// Tensors of one shape along a new axis.
    ///
    /// # Errors
    /// No tensor, a place that is not there, other shapes, or too many axes.
    pub fn stack<T: Borrow<Self>>(parts: &[T], axis: isize) -> Result<Self> {
        let parts: Result<Vec<Self>> = parts
            .iter()
            .map(|part| part.borrow().unsqueeze(axis))
            .collect();
        Self::cat(&parts?, axis)
    }

    /// So many times itself along an axis, one behind the other.
    ///
    /// # Errors
    /// An axis that is not there, or no time at all.
    pub fn repeat(&self, axis: isize, times: usize) -> Result<Self> {
        Self::cat(&vec![self; times], axis)
    }
}
