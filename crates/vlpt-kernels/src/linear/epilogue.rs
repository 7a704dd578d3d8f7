//! What becomes of f32 sums of products, while they are in registers: bias and activation.

use super::Epilogue;
use crate::Activation;
use crate::matrix::Matrix;
use crate::output::Output;
use crate::simd::vectorised;

/// Adds the bias, where there is one.
pub(super) struct AddBias<'a>(pub(super) &'a [f32]);

impl Epilogue for AddBias<'_> {
    fn apply(&self, _: usize, first: usize, row: &mut [f32]) {
        add_bias(self.0, first, row);
    }
}

/// Adds the bias, and writes the activation of the sum to a second matrix; its derivative stays where the
/// product is made.
pub(super) struct Activate<'a> {
    bias: &'a [f32],
    activation: Activation,
    to: Output<'a>,
}

impl<'a> Activate<'a> {
    pub(super) fn new(bias: &'a [f32], activation: Activation, to: &'a mut Matrix) -> Self {
        let width = to.width();
        Self {
            bias,
            activation,
            to: Output::new(to.floats_mut(), width),
        }
    }
}

impl Epilogue for Activate<'_> {
    fn apply(&self, row_index: usize, first: usize, row: &mut [f32]) {
        add_bias(self.bias, first, row);
        // SAFETY: each part of a row is finished once, by one thread.
        let y = unsafe { self.to.part(row_index, first, row.len()) };
        self.activation.forward_slice(row, y);
        self.activation.derivative_in_place(row);
    }
}

/// Adds the bias, and puts the activation of the sum in its place.
pub(super) struct ActivateInPlace<'a> {
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
}

impl Epilogue for ActivateInPlace<'_> {
    fn apply(&self, _: usize, first: usize, row: &mut [f32]) {
        add_bias(self.bias, first, row);
        self.activation.forward_in_place(row);
    }
}

/// Adds the bias, and puts the derivative of the activation at the sum in its place.
pub(super) struct DerivativeInPlace<'a> {
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
}

impl Epilogue for DerivativeInPlace<'_> {
    fn apply(&self, _: usize, first: usize, row: &mut [f32]) {
        add_bias(self.bias, first, row);
        self.activation.derivative_in_place(row);
    }
}

/// Multiplies with something, element by element.
pub(super) struct Scale<'a> {
    /// Rows of `width` columns.
    pub(super) factor: &'a [f32],
    pub(super) width: usize,
}

impl Epilogue for Scale<'_> {
    fn apply(&self, row_index: usize, first: usize, row: &mut [f32]) {
        scale(&self.factor[row_index * self.width + first..], row);
    }
}

vectorised! {
    fn scale(factor: &[f32], row: &mut [f32]) {
        for (x, factor) in row.iter_mut().zip(factor) {
            *x *= factor;
        }
    }
}

vectorised! {
    fn add_bias(bias: &[f32], first: usize, row: &mut [f32]) {
        if !bias.is_empty() {
            for (y, b) in row.iter_mut().zip(&bias[first..]) {
                *y += b;
            }
        }
    }
}
