//! Layer normalisation over rows.

mod row;

use crate::Precision;
use crate::matrix::{Matrix, TILE_ROWS, rows_of_tiles, tile_rows};
use crate::rows::for_blocks;
use crate::threads::{Parts, for_both_parts, for_parts};
use row::{rows_backward, rows_forward, tiles_backward, tiles_forward};

/// `y = (x - mean) / sqrt(variance + eps) * weight + bias`, mean and variance of each row (the
/// variance divides by the width, as in PyTorch).
#[derive(Clone, Debug)]
pub struct LayerNorm {
    weight: Vec<f32>,
    bias: Vec<f32>,
    eps: f32,
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

    /// Bytes of the weights.
    pub fn bytes(&self) -> usize {
        size_of_val(self.weight.as_slice()) * 2
    }

    /// The rows of `x` (rows x width), normalised, for the layer that reads `y`.
    ///
    /// # Panics
    /// When `x` and `y` differ in size.
    pub fn forward(&self, x: &[f32], y: &mut Matrix) {
        let width = self.width();
        assert!(
            y.width() == width && x.len() == y.rows() * width,
            "layer norm output"
        );
        match y.precision() {
            Precision::F32 => self.forward_into(x, y.floats_mut()),
            Precision::Bf16 => {
                let rows = y.rows();
                for_parts(&tile_rows(y.tiles_mut(), width, rows), |i, tiles| {
                    tiles_forward(self, rows_of_tiles(x, width, i), tiles);
                });
            }
        }
    }

    /// As [`LayerNorm::forward`], to floats.
    ///
    /// # Panics
    /// When `x` and `y` differ in length.
    pub fn forward_into(&self, x: &[f32], y: &mut [f32]) {
        let width = self.width();
        assert!(
            x.len() == y.len() && x.len().is_multiple_of(width),
            "layer norm output"
        );
        for_blocks(y, width, |first, y| {
            let x = &x[first * width..][..y.len()];
            rows_forward(self, x, y);
        });
    }

    /// `dx += dy/dx` of the rows `x`; `x`, `dy`, `dx`: rows x width. A bf16 matrix `rounded` gets
    /// what `dx` is afterwards.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn backward_add(
        &self,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        rounded: Option<&mut Matrix>,
    ) {
        let width = self.width();
        assert!(
            x.len() == dx.len() && dy.len() == dx.len() && x.len().is_multiple_of(width),
            "layer norm gradient"
        );
        let Some(rounded) = rounded else {
            for_blocks(dx, width, |first, dx| {
                let rows = first * width..first * width + dx.len();
                rows_backward(self, &x[rows.clone()], &dy[rows], dx);
            });
            return;
        };
        assert!(
            rounded.width() == width && dx.len() == rounded.rows() * width,
            "rounded gradient"
        );
        let rows = rounded.rows();
        for_both_parts(
            &tile_rows(rounded.tiles_mut(), width, rows),
            &Parts::new(dx, TILE_ROWS * width),
            |i, tiles, dx| {
                let (x, dy) = (rows_of_tiles(x, width, i), rows_of_tiles(dy, width, i));
                tiles_backward(self, x, dy, dx, tiles);
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Arena;

    #[test]
    fn columns_past_the_width_are_zero() {
        for width in [1, 17, 33, 63] {
            let norm = LayerNorm::new(vec![1.5; width], vec![0.5; width], 1e-5);
            let x: Vec<f32> = (0..20 * width).map(|i| (i * i % 11) as f32).collect();
            let mut y = Matrix::of(&Arena::default(), Precision::Bf16, width, &x);
            y.tiles_mut().fill(0x3f80);
            norm.forward(&x, &mut y);
            let forward = y.padding(20);
            y.tiles_mut().fill(0x3f80);
            norm.backward_add(&x, &x[..], &mut x.clone(), Some(&mut y));
            for padding in [forward, y.padding(20)] {
                assert!(padding.iter().all(|x| *x == 0), "width {width}");
            }
        }
    }
}
