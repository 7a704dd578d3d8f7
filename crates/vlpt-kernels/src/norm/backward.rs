//! Gradients of layer norms of rows, 16 numbers at a time.

use super::LayerNorm;
use super::forward::{moments, standardised};
use super::lanes::{
    Floats, InTiles, Rows, by_rows, by_width, lanes, put_lanes, sums, sums_of_tiles,
};
use crate::tile::RowStore;
use crate::vector::{LANES, Vector, over_vectors};

over_vectors! {
    pub(super) fn rows_backward<V>(norm: &LayerNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        by_width!(norm.width(), affine_backward::<V>(norm, x, dy, dx));
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
        derivatives::<V, WHOLE, 1>(0, &z, &[scale], &g, dx, |_, _, _, _| ());
    }
}

#[inline(always)]
fn back<V: Vector, const WHOLE: bool>(z: &[f32], scales: &[f32], dz: &[f32], dx: &mut [f32]) {
    let width = dx.len() / scales.len();
    let (z, dz) = (Floats::new(z, width), Floats::new(dz, width));
    by_rows!(
        scales.len(),
        derivatives::<V, WHOLE>(&z, scales, &dz, dx, |_, _, _, _| ())
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
        derivatives::<V, WHOLE>(z, scales, dz, dx, |row, piece, low, high| {
            RowStore::new(rounded, width, row).put(piece, low, high);
        })
    );
}

/// With `z` a standardised row: `dx += (dz - mean(dz) - z mean(dz z)) * scale`. `put` gets what
/// `dx` is afterwards, 32 numbers at a time: row, number of the piece, its halves.
#[inline(always)]
fn derivatives<V: Vector, const WHOLE: bool, const ROWS: usize>(
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
                let derivative = z.lanes::<V, WHOLE>(row, i).mul_add(along_z, g);
                *half = derivative.mul_add(scale, lanes::<V, WHOLE>(dx, i, 0.0));
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
