//! Layer norms of rows, 16 numbers at a time.

use super::LayerNorm;
use super::lanes::{Floats, Rows, by_rows, by_width, lanes, put_lanes, sums};
use crate::tile::RowStore;
use crate::vector::{LANES, Vector, over_vectors};

over_vectors! {
    pub(super) fn rows_forward<V>(norm: &LayerNorm, x: &mut [f32]) {
        by_width!(norm.width(), affine::<V>(norm, x));
    }
}

over_vectors! {
    /// One scale for each row tells how many there are.
    pub(super) fn floats_forward<V>(x: &[f32], eps: f32, z: &mut [f32], scales: &mut [f32]) {
        by_width!((x.len() / scales.len()), to_floats::<V>(x, eps, z, scales));
    }
}

over_vectors! {
    /// Up to 16 rows into their tiles.
    pub(super) fn tiles_forward<V>(x: &[f32], eps: f32, tiles: &mut [u16], scales: &mut [f32]) {
        by_width!((x.len() / scales.len()), to_tiles::<V>(x, eps, tiles, scales));
    }
}

#[inline(always)]
fn affine<V: Vector, const WHOLE: bool>(norm: &LayerNorm, x: &mut [f32]) {
    by_rows!(x.len() / norm.width(), affine_rows::<V, WHOLE>(norm, x));
}

#[inline(always)]
fn affine_rows<V: Vector, const WHOLE: bool, const ROWS: usize>(
    first: usize,
    norm: &LayerNorm,
    x: &mut [f32],
) {
    let width = norm.width();
    let moments: [_; ROWS] = moments::<V, WHOLE, ROWS>(&Floats::new(x, width), first, norm.eps);
    let x = x[first * width..].chunks_exact_mut(width);
    for ((mean, scale), x) in moments.into_iter().zip(x) {
        for i in 0..width.div_ceil(LANES) {
            let z = standardised::<V, WHOLE>(x, i, (mean, scale));
            let (weight, bias) = (
                lanes::<V, WHOLE>(&norm.weight, i, 0.0),
                lanes::<V, WHOLE>(&norm.bias, i, 0.0),
            );
            put_lanes::<V, WHOLE>(x, i, z.mul_add(weight, bias));
        }
    }
}

#[inline(always)]
fn to_floats<V: Vector, const WHOLE: bool>(x: &[f32], eps: f32, z: &mut [f32], scales: &mut [f32]) {
    by_rows!(scales.len(), to_floats_rows::<V, WHOLE>(x, eps, z, scales));
}

#[inline(always)]
fn to_floats_rows<V: Vector, const WHOLE: bool, const ROWS: usize>(
    first: usize,
    x: &[f32],
    eps: f32,
    z: &mut [f32],
    scales: &mut [f32],
) {
    let width = x.len() / scales.len();
    let moments = moments::<V, WHOLE, ROWS>(&Floats::new(x, width), first, eps);
    for (row, (mean, scale)) in (first..).zip(moments) {
        scales[row] = scale;
        let row = row * width..(row + 1) * width;
        for i in 0..width.div_ceil(LANES) {
            let numbers = standardised::<V, WHOLE>(&x[row.clone()], i, (mean, scale));
            put_lanes::<V, WHOLE>(&mut z[row.clone()], i, numbers);
        }
    }
}

#[inline(always)]
fn to_tiles<V: Vector, const WHOLE: bool>(
    x: &[f32],
    eps: f32,
    tiles: &mut [u16],
    scales: &mut [f32],
) {
    by_rows!(
        scales.len(),
        to_tiles_rows::<V, WHOLE>(x, eps, tiles, scales)
    );
}

#[inline(always)]
fn to_tiles_rows<V: Vector, const WHOLE: bool, const ROWS: usize>(
    first: usize,
    x: &[f32],
    eps: f32,
    tiles: &mut [u16],
    scales: &mut [f32],
) {
    let width = x.len() / scales.len();
    let moments: [_; ROWS] = moments::<V, WHOLE, ROWS>(&Floats::new(x, width), first, eps);
    for (to, (_, scale)) in scales[first..].iter_mut().zip(moments) {
        *to = scale;
    }
    // tile by tile, whose rows follow each other in memory
    for piece in 0..width.div_ceil(2 * LANES) {
        for (row, moments) in (first..).zip(moments) {
            let x = &x[row * width..][..width];
            let mut halves = [V::zero(); 2];
            for (half, i) in halves.iter_mut().zip(2 * piece..) {
                *half = standardised::<V, WHOLE>(x, i, moments);
            }
            RowStore::new(tiles, width, row).put(piece, halves[0], halves[1]);
        }
    }
}

/// Mean of each of some rows, and one over its standard deviation.
#[inline(always)]
pub(super) fn moments<V: Vector, const WHOLE: bool, const ROWS: usize>(
    x: &Floats,
    first: usize,
    eps: f32,
) -> [(f32, f32); ROWS] {
    let n = x.width;
    let mut means: [[f32; 1]; ROWS] = sums(n, |r, i, [sum]: [V; 1]| {
        [sum.add(x.lanes::<V, WHOLE>(first + r, i))]
    });
    for [mean] in &mut means {
        *mean /= n as f32;
    }
    let squares: [[f32; 1]; ROWS] = sums(n, |r, i, [sum]: [V; 1]| {
        let z = centred::<V, WHOLE>(x.row(first + r), i, means[r][0]);
        [z.mul_add(z, sum)]
    });
    let mut moments = [(0.0, 0.0); ROWS];
    for (to, ([mean], [square])) in moments.iter_mut().zip(means.into_iter().zip(squares)) {
        *to = (mean, 1.0 / (square / n as f32 + eps).sqrt());
    }
    moments
}

/// 16 numbers of a row less its mean; past its end they are 0.
#[inline(always)]
fn centred<V: Vector, const WHOLE: bool>(row: &[f32], i: usize, mean: f32) -> V {
    lanes::<V, WHOLE>(row, i, mean).sub(V::splat(mean))
}

/// The same, scaled.
#[inline(always)]
pub(super) fn standardised<V: Vector, const WHOLE: bool>(
    row: &[f32],
    i: usize,
    (mean, scale): (f32, f32),
) -> V {
    centred::<V, WHOLE>(row, i, mean).mul(V::splat(scale))
}
