//! Parts of a tensor.

use crate::backward::add_to;
use crate::shape::{around, axis_of};
use crate::{Result, Tensor, TensorError};

impl Tensor {
    /// `length` positions of an axis, from `start` on.
    ///
    /// # Errors
    /// An axis that is not there, or positions past its end.
    pub fn narrow(&self, axis: isize, start: usize, length: usize) -> Result<Self> {
        let axis = axis_of("narrow", self.shape(), axis)?;
        let (outer, whole, inner) = around(self.shape(), axis);
        let end = start.saturating_add(length);
        if end > whole {
            return Err(TensorError::Range {
                operation: "narrow",
                start,
                end,
                length: whole,
            });
        }
        let (row, from, count) = (whole * inner, start * inner, length * inner);
        let own = self.values();
        let mut values = Vec::with_capacity(outer * count);
        for i in 0..outer {
            values.extend_from_slice(&own[i * row + from..][..count]);
        }
        let mut shape = self.shape().to_vec();
        shape[axis] = length;
        Ok(Self::computed(
            values,
            shape,
            &[self],
            move |gradient, inputs| {
                if let Some(sums) = inputs.sum(0) {
                    for i in 0..outer {
                        let to = &mut sums[i * row + from..][..count];
                        add_to(to, &gradient[i * count..(i + 1) * count]);
                    }
                }
                Ok(())
            },
        ))
    }

    /// One position of an axis, which is then gone.
    ///
    /// # Errors
    /// An axis that is not there, or a position past its end.
    pub fn select(&self, axis: isize, index: usize) -> Result<Self> {
        self.narrow(axis, index, 1)?.squeeze(axis)
    }

    /// Rows, the positions of the first axis, in the order of `rows`, which may name one more than
    /// once.
    ///
    /// # Errors
    /// A tensor without axes, or a row that is not there.
    pub fn index_select(&self, rows: &[usize]) -> Result<Self> {
        let axis = axis_of("index_select", self.shape(), 0)?;
        let (_, whole, inner) = around(self.shape(), axis);
        if let Some(&row) = rows.iter().find(|&&row| row >= whole) {
            return Err(TensorError::Range {
                operation: "index_select",
                start: row,
                end: row.saturating_add(1),
                length: whole,
            });
        }
        let own = self.values();
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|row| &own[row * inner..(row + 1) * inner])
            .copied()
            .collect();
        let mut shape = self.shape().to_vec();
        shape[axis] = rows.len();
        let rows = rows.to_vec();
        Ok(Self::computed(
            values,
            shape,
            &[self],
            move |gradient, inputs| {
                if let Some(sums) = inputs.sum(0) {
                    for (i, row) in rows.iter().enumerate() {
                        let to = &mut sums[row * inner..(row + 1) * inner];
                        add_to(to, &gradient[i * inner..(i + 1) * inner]);
                    }
                }
                Ok(())
            },
        ))
    }
}
