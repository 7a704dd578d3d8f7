//! Layer norm with weight and bias.

use rayon::prelude::*;

use super::Standardize;
use super::backward::rows_backward;
use super::forward::rows_forward;
use crate::rows::for_blocks;

/// `y = (x - mean) / sqrt(variance + eps) * weight + bias`, mean and variance of each row (the
/// variance divides by the width, as in PyTorch).
#[derive(Clone, Debug)]
pub struct LayerNorm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) eps: f32,
}

impl LayerNorm {
    /// # Panics
    /// When `weight` and `bias` differ in length or are empty.
    pub fn new(weight: Vec<f32>, bias: Vec<f32>, eps: f32) -> Self {
        assert!(
            !weight.is_empty() && weight.len() == bias.len(),
            "layer norm weight and bias"
        );
        Self { weight, bias, eps }
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.weight.len()
    }

    /// Weight and bias, each as long as a row.
    pub fn affine(&self) -> (&[f32], &[f32]) {
        (&self.weight, &self.bias)
    }

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        size_of_val(self.weight.as_slice()) * 2
    }

    /// Normalises the rows of `x` (rows x width), in place.
    ///
    /// # Panics
    /// When `x` is not whole rows.
    pub fn forward(&self, x: &mut [f32]) {
        let width = self.width();
        assert!(x.len().is_multiple_of(width), "rows of a layer norm");
        for_blocks(x, width, |_, x| rows_forward(self, x));
    }

    /// `dx += dy/dx` of the rows `x`; `x`, `dy`, `dx`: rows x width.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn backward_add(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let width = self.width();
        assert!(
            x.len() == dx.len() && dy.len() == dx.len() && x.len().is_multiple_of(width),
            "layer norm gradient"
        );
        for_blocks(dx, width, |first, dx| {
            let rows = first * width..first * width + dx.len();
            rows_backward(self, &x[rows.clone()], &dy[rows], dx);
        });
    }

    /// Puts weight and bias into a frozen linear layer that alone reads the rows, whose `weight` is
    /// outputs x width: `W (z w + b) + c = (W w) z + (W b + c)`. What is left to do before that layer
    /// is returned.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn fold_into(self, weight: &mut [f32], bias: &mut [f32]) -> Standardize {
        let width = self.width();
        assert_eq!(weight.len(), bias.len() * width, "weight of a linear layer");
        weight
            .par_chunks_exact_mut(width)
            .zip(bias)
            .for_each(|(row, bias)| {
                let mut sum = f64::from(*bias);
                for ((x, weight), shift) in row.iter_mut().zip(&self.weight).zip(&self.bias) {
                    sum += f64::from(*x) * f64::from(*shift);
                    *x *= weight;
                }
                *bias = sum as f32;
            });
        Standardize::new(width, self.eps)
    }
}
