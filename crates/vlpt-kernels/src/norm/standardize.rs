//! Layer norm without weight and bias.

use super::backward::{floats_backward, tiles_backward, tiles_backward_tiles};
use super::forward::{floats_forward, tiles_forward};
use crate::Precision;
use crate::matrix::{Matrix, Operand};
use crate::threads::{Parts, for_both_parts, for_parts};
use crate::tile::{TILE_ROWS, rows_of_tiles, tile_rows, tiles_of_rows};

/// `z = (x - mean) * scale` with `scale = 1 / sqrt(variance + eps)`, mean and variance of each row:
/// a layer norm whose weight and bias are in the frozen layer that reads it (see
/// [`LayerNorm::fold_into`](super::LayerNorm::fold_into)).
///
/// Backward needs `z` and the scales alone, so a tape holds what the next layer read anyway.
#[derive(Clone, Copy, Debug)]
pub struct Standardize {
    width: usize,
    eps: f32,
}

impl Standardize {
    /// # Panics
    /// When the width is 0.
    pub fn new(width: usize, eps: f32) -> Self {
        assert!(width > 0, "rows of nothing");
        Self { width, eps }
    }

    /// The rows of `x` (rows x width), standardised, and the scale of each row.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn forward(&self, x: &[f32], z: &mut Matrix, scales: &mut [f32]) {
        let (width, rows) = (self.width, z.rows());
        assert!(
            z.width() == width && x.len() == rows * width && scales.len() == rows,
            "standardised rows"
        );
        let scales = Parts::new(scales, TILE_ROWS);
        match z.precision() {
            Precision::F32 => for_both_parts(
                &Parts::new(z.floats_mut(), TILE_ROWS * width),
                &scales,
                |i, z, scales| floats_forward(rows_of_tiles(x, width, i), self.eps, z, scales),
            ),
            Precision::Bf16 => for_both_parts(
                &tile_rows(z.tiles_mut(), width, rows),
                &scales,
                |i, tiles, scales| {
                    tiles_forward(rows_of_tiles(x, width, i), self.eps, tiles, scales);
                },
            ),
        }
    }

    /// `dx += dz/dx`, given what [`Standardize::forward`] gave; `dz`, `dx`: rows x width. A bf16
    /// matrix `rounded` gets what `dx` is afterwards.
    ///
    /// # Panics
    /// When the sizes or the number formats do not fit.
    pub fn backward_add(
        &self,
        (z, scales): (&Matrix, &[f32]),
        dz: Operand,
        dx: &mut [f32],
        rounded: Option<&mut Matrix>,
    ) {
        let (width, rows) = (self.width, z.rows());
        assert!(
            z.width() == width
                && dz.rows(width) == rows
                && dx.len() == rows * width
                && scales.len() == rows,
            "gradient of standardised rows"
        );
        let dx = Parts::new(dx, TILE_ROWS * width);
        let scales = |i: usize| rows_of_tiles(scales, 1, i);
        match (z.operand(), dz, rounded) {
            (Operand::F32(z), Operand::F32(dz), None) => for_parts(&dx, |i, dx| {
                let (z, dz) = (rows_of_tiles(z, width, i), rows_of_tiles(dz, width, i));
                floats_backward(z, scales(i), dz, dx);
            }),
            (Operand::Bf16(z), dz, Some(rounded)) => {
                assert!(
                    (rounded.rows(), rounded.width()) == (rows, width),
                    "rounded gradient"
                );
                let rounded = tile_rows(rounded.tiles_mut(), width, rows);
                for_both_parts(&rounded, &dx, |i, rounded, dx| {
                    let z = tiles_of_rows(z, i);
                    match dz {
                        Operand::F32(dz) => {
                            let dz = rows_of_tiles(dz, width, i);
                            tiles_backward(z, scales(i), dz, dx, rounded);
                        }
                        Operand::Bf16(dz) => {
                            let dz = tiles_of_rows(dz, i);
                            tiles_backward_tiles(z, scales(i), dz, dx, rounded);
                        }
                    }
                });
            }
            _ => panic!("rows, gradients and what becomes of them in one number format"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Arena;

    #[test]
    fn columns_past_the_width_are_zero() {
        for width in [1, 17, 33, 63] {
            let norm = Standardize::new(width, 1e-5);
            let x: Vec<f32> = (0..20 * width).map(|i| (i * i % 11) as f32).collect();
            let arena = Arena::default();
            let mut z = Matrix::of(&arena, Precision::Bf16, width, &x);
            z.tiles_mut().fill(0x3f80);
            let mut scales = [0.0; 20];
            norm.forward(&x, &mut z, &mut scales);
            assert!(z.padding(20).iter().all(|x| *x == 0), "width {width}");
            let mut rounded = Matrix::of(&arena, Precision::Bf16, width, &x);
            rounded.tiles_mut().fill(0x3f80);
            let (given, dz) = ((&z, &scales[..]), Operand::F32(&x));
            norm.backward_add(given, dz, &mut x.clone(), Some(&mut rounded));
            assert!(rounded.padding(20).iter().all(|x| *x == 0), "width {width}");
        }
    }
}
