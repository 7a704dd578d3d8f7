//! Layer normalisation over rows.

use crate::Precision;
use crate::matrix::{Matrix, RowStore, TILE_COLUMNS, TILE_ROWS, rows_of_tiles, tile_rows};
use crate::rows::for_blocks;
use crate::simd::{sum, vectorised};
use crate::threads::{Parts, for_both_parts, for_parts};
use crate::vector::{LANES, Vector, over_vectors};

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
                rows_backward(self, x, dy, dx);
                crate::matrix::round_rows(dx, width, tiles);
            },
        );
    }

    #[inline(always)]
    fn row(&self, x: &[f32], y: &mut [f32]) {
        let n = self.width();
        let (weight, bias, x, y) = (&self.weight[..n], &self.bias[..n], &x[..n], &mut y[..n]);
        let (mean, scale) = moments(x, self.eps);
        for i in 0..n {
            y[i] = ((x[i] - mean) * scale).mul_add(weight[i], bias[i]);
        }
    }

    /// 16 numbers of a normalised row.
    #[inline(always)]
    fn normal<V: Vector>(&self, x: &[f32], first: usize, mean: V, scale: V) -> V {
        let x = lanes::<V>(x, first).sub(mean).mul(scale);
        x.mul_add(lanes(&self.weight, first), lanes(&self.bias, first))
    }

    /// With `g = dy * weight` and `z` the normalised row: `dx = (g - mean(g) - z mean(g z)) * scale`.
    #[inline(always)]
    fn row_backward(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let n = self.width();
        let (weight, x, dy, dx) = (&self.weight[..n], &x[..n], &dy[..n], &mut dx[..n]);
        let (mean, scale) = moments(x, self.eps);
        let along_one = sum(n, |i| dy[i] * weight[i]) / n as f32;
        let along_x = sum(n, |i| dy[i] * weight[i] * (x[i] - mean)) * scale / n as f32;
        for i in 0..n {
            let z = (x[i] - mean) * scale;
            dx[i] += (dy[i] * weight[i] - along_one - z * along_x) * scale;
        }
    }
}

vectorised! {
    fn rows_forward(norm: &LayerNorm, x: &[f32], y: &mut [f32]) {
        let width = norm.width();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            norm.row(x, y);
        }
    }
}

vectorised! {
    fn rows_backward(norm: &LayerNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let width = norm.width();
        let (x, dy) = (x.chunks_exact(width), dy.chunks_exact(width));
        for ((x, dy), dx) in x.zip(dy).zip(dx.chunks_exact_mut(width)) {
            norm.row_backward(x, dy, dx);
        }
    }
}

over_vectors! {
    /// Up to 16 rows into their tiles.
    fn tiles_forward<V>(norm: &LayerNorm, x: &[f32], tiles: &mut [u16]) {
        let width = norm.width();
        for (row, x) in x.chunks_exact(width).enumerate() {
            let (mean, scale) = moments(x, norm.eps);
            let (mean, scale) = (V::splat(mean), V::splat(scale));
            let mut store = RowStore::new(tiles, width, row);
            for tile in 0..width.div_ceil(TILE_COLUMNS) {
                let first = tile * TILE_COLUMNS;
                let low = norm.normal(x, first, mean, scale);
                let high = norm.normal(x, first + LANES, mean, scale);
                store.put(tile, low, high);
            }
        }
    }
}

/// 16 numbers of a row; past its end they are 0.
#[inline(always)]
fn lanes<V: Vector>(row: &[f32], first: usize) -> V {
    let row = &row[first.min(row.len())..];
    if let Some(whole) = row.first_chunk() {
        return V::load(whole);
    }
    let mut rest = [0.0; LANES];
    rest[..row.len()].copy_from_slice(row);
    V::load(&rest)
}

/// Mean of a row and one over its standard deviation.
#[inline(always)]
fn moments(x: &[f32], eps: f32) -> (f32, f32) {
    let n = x.len();
    let mean = sum(n, |i| x[i]) / n as f32;
    let variance = sum(n, |i| (x[i] - mean) * (x[i] - mean)) / n as f32;
    (mean, 1.0 / (variance + eps).sqrt())
}
