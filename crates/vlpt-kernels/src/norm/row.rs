//! The rows of a layer norm, 16 numbers at a time.

use super::LayerNorm;
use super::lanes::{Floats, InTiles, Rows, lanes, put_lanes, sums, sums_of_tiles};
use crate::tile::RowStore;
use crate::vector::{LANES, Vector, over_vectors};

/// Rows that are dealt with at once: each waits for its mean and for its variance, so one alone would
/// keep the processor waiting.
const TOGETHER: usize = 4;

/// Chooses the loops for rows of whole pairs of vectors, which need no care for their end, where the
/// width is such.
macro_rules! by_width {
    ($width:expr, $function:ident::<$v:ident>($($argument:expr),*)) => {
        if $width.is_multiple_of(2 * LANES) {
            $function::<$v, true>($($argument),*);
        } else {
            $function::<$v, false>($($argument),*);
        }
    };
}

/// Calls a function for rows `0..$rows`, for as many at once as it is told in its last parameter.
macro_rules! by_rows {
    ($rows:expr, $function:ident::<$v:ident, $whole:ident>($($argument:expr),*)) => {
        let rows = $rows;
        let many = rows / TOGETHER * TOGETHER;
        for first in (0..many).step_by(TOGETHER) {
            $function::<$v, $whole, TOGETHER>(first, $($argument),*);
        }
        for first in many..rows {
            $function::<$v, $whole, 1>(first, $($argument),*);
        }
    };
}

over_vectors! {
    pub(super) fn rows_forward<V>(norm: &LayerNorm, x: &mut [f32]) {
        by_width!(norm.width(), affine::<V>(norm, x));
    }
}

over_vectors! {
    pub(super) fn rows_backward<V>(norm: &LayerNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        by_width!(norm.width(), affine_backward::<V>(norm, x, dy, dx));
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

over_vectors! {
    pub(super) fn floats_backward<V>(z: &[f32], scales: &[f32], dz: &[f32], dx: &mut [f32]) {
        by_width!((dx.len() / scales.len()), back::<V>(z, scales, dz, dx));
    }
}

over_vectors! {
    /// Up to 16 rows; what `dx` is afterwards goes into their tiles too.
    pub(super) fn tiles_backward<V>(
        z: &[u16],
        scales: &[f32],
        dz: &[f32],
        dx: &mut [f32],
        rounded: &mut [u16],
    ) {
        by_width!((dx.len() / scales.len()), back_rounded::<V>(&InTiles(z), scales, &Floats::new(dz, dx.len() / scales.len()), dx, rounded));
    }
}

over_vectors! {
    /// The same, with gradients in tiles.
    pub(super) fn tiles_backward_tiles<V>(
        z: &[u16],
        scales: &[f32],
        dz: &[u16],
        dx: &mut [f32],
        rounded: &mut [u16],
    ) {
        by_width!((dx.len() / scales.len()), back_rounded::<V>(&InTiles(z), scales, &InTiles(dz), dx, rounded));
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
fn affine_backward<V: Vector, const WHOLE: bool>(
    norm: &LayerNorm,
    x: &[f32],
    dy: &[f32],
    dx: &mut [f32],
) {
    let width = norm.width();
    let (mut z, mut g) = (vec![0.0; width], vec![0.0; width]);
    for (row, dx) in dx.chunks_exact_mut(width).enumerate() {
        let [(mean, scale)] = moments::<V, WHOLE, 1>(&Floats::new(x, width), row, norm.eps);
        let row = row * width..(row + 1) * width;
        for i in 0..width.div_ceil(LANES) {
            let standardised = standardised::<V, WHOLE>(&x[row.clone()], i, (mean, scale));
            put_lanes::<V, WHOLE>(&mut z, i, standardised);
            let weight = lanes::<V, WHOLE>(&norm.weight, i, 0.0);
            let dy = lanes::<V, WHOLE>(&dy[row.clone()], i, 0.0);
            put_lanes::<V, WHOLE>(&mut g, i, dy.mul(weight));
        }
        let (z, g) = (Floats::new(&z, width), Floats::new(&g, width));
        slopes::<V, WHOLE, 1>(0, &z, &[scale], &g, dx, |_, _, _, _| ());
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

#[inline(always)]
fn back<V: Vector, const WHOLE: bool>(z: &[f32], scales: &[f32], dz: &[f32], dx: &mut [f32]) {
    let width = dx.len() / scales.len();
    let (z, dz) = (Floats::new(z, width), Floats::new(dz, width));
    by_rows!(
        scales.len(),
        slopes::<V, WHOLE>(&z, scales, &dz, dx, |_, _, _, _| ())
    );
}

#[inline(always)]
fn back_rounded<V: Vector, const WHOLE: bool>(
    z: &impl Rows,
    scales: &[f32],
    dz: &impl Rows,
    dx: &mut [f32],
    rounded: &mut [u16],
) {
    let width = dx.len() / scales.len();
    by_rows!(
        scales.len(),
        slopes::<V, WHOLE>(z, scales, dz, dx, |row, piece, low, high| {
            RowStore::new(rounded, width, row).put(piece, low, high);
        })
    );
}

/// With `z` a standardised row: `dx += (dz - mean(dz) - z mean(dz z)) * scale`. `put` gets what
/// `dx` is afterwards, 32 numbers at a time: row, number of the piece, its halves.
#[inline(always)]
fn slopes<V: Vector, const WHOLE: bool, const ROWS: usize>(
    first: usize,
    z: &impl Rows,
    scales: &[f32],
    dz: &impl Rows,
    dx: &mut [f32],
    mut put: impl FnMut(usize, usize, V, V),
) {
    let n = dx.len() / scales.len();
    let means: [[f32; 2]; ROWS] = match (z.tiles(), dz.tiles()) {
        (Some(z), Some(dz)) if WHOLE => sums_of_tiles::<V, ROWS>(n, first, dz, z),
        _ => sums(n, |r, i, [along_one, along_z]: [V; 2]| {
            let z = z.lanes::<V, WHOLE>(first + r, i);
            let dz = dz.lanes::<V, WHOLE>(first + r, i);
            [along_one.add(dz), dz.mul_add(z, along_z)]
        }),
    };
    for (row, [along_one, along_z]) in (first..).zip(means) {
        let along_one = V::splat(along_one / n as f32);
        let along_z = V::splat(-along_z / n as f32);
        let scale = V::splat(scales[row]);
        let dx = &mut dx[row * n..][..n];
        for piece in 0..n.div_ceil(2 * LANES) {
            let mut halves = [V::zero(); 2];
            for (half, i) in halves.iter_mut().zip(2 * piece..) {
                let g = dz.lanes::<V, WHOLE>(row, i).sub(along_one);
                let slope = z.lanes::<V, WHOLE>(row, i).mul_add(along_z, g);
                *half = slope.mul_add(scale, lanes::<V, WHOLE>(dx, i, 0.0));
                put_lanes::<V, WHOLE>(dx, i, *half);
                if !WHOLE {
                    // past the end, where a layer expects zeros, there is more in it
                    *half = lanes::<V, WHOLE>(dx, i, 0.0);
                }
            }
            put(row, piece, halves[0], halves[1]);
        }
    }
}

/// Mean of each of some rows, and one over its standard deviation.
#[inline(always)]
fn moments<V: Vector, const WHOLE: bool, const ROWS: usize>(
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
fn standardised<V: Vector, const WHOLE: bool>(
    row: &[f32],
    i: usize,
    (mean, scale): (f32, f32),
) -> V {
    centred::<V, WHOLE>(row, i, mean).mul(V::splat(scale))
}
