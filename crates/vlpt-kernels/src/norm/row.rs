//! The rows of a layer norm, 16 numbers at a time.

use super::LayerNorm;
use crate::tile::{RowStore, TILE, TILE_COLUMNS};
use crate::vector::{LANES, Vector, over_vectors};

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
    let width = norm.width();
    for x in x.chunks_exact_mut(width) {
        let (mean, scale) = moments::<V, WHOLE>(x, norm.eps);
        for i in 0..width.div_ceil(LANES) {
            let z = centred::<V, WHOLE>(x, i, mean).mul(V::splat(scale));
            let (weight, bias) = (&norm.weight, &norm.bias);
            let (weight, bias) = (
                lanes::<V, WHOLE>(weight, i, 0.0),
                lanes::<V, WHOLE>(bias, i, 0.0),
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
    let (x, dy) = (x.chunks_exact(width), dy.chunks_exact(width));
    for ((x, dy), dx) in x.zip(dy).zip(dx.chunks_exact_mut(width)) {
        let (mean, scale) = moments::<V, WHOLE>(x, norm.eps);
        for i in 0..width.div_ceil(LANES) {
            let centred = centred::<V, WHOLE>(x, i, mean);
            put_lanes::<V, WHOLE>(&mut z, i, centred.mul(V::splat(scale)));
            let weight = lanes::<V, WHOLE>(&norm.weight, i, 0.0);
            put_lanes::<V, WHOLE>(&mut g, i, lanes::<V, WHOLE>(dy, i, 0.0).mul(weight));
        }
        let (z, g) = (Floats::new(&z, width), Floats::new(&g, width));
        row_backward::<V, WHOLE>((&z, &g, 0), scale, dx, |_, _, _| ());
    }
}

#[inline(always)]
fn to_floats<V: Vector, const WHOLE: bool>(x: &[f32], eps: f32, z: &mut [f32], scales: &mut [f32]) {
    let width = x.len() / scales.len();
    let rows = x.chunks_exact(width).zip(z.chunks_exact_mut(width));
    for ((x, z), to) in rows.zip(scales) {
        let (mean, scale) = moments::<V, WHOLE>(x, eps);
        *to = scale;
        for i in 0..width.div_ceil(LANES) {
            let centred = centred::<V, WHOLE>(x, i, mean);
            put_lanes::<V, WHOLE>(z, i, centred.mul(V::splat(scale)));
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
    let width = x.len() / scales.len();
    for (row, (x, to)) in x.chunks_exact(width).zip(scales).enumerate() {
        let (mean, scale) = moments::<V, WHOLE>(x, eps);
        *to = scale;
        let mut store = RowStore::new(tiles, width, row);
        for piece in 0..width.div_ceil(2 * LANES) {
            let mut halves = [V::zero(); 2];
            for (half, i) in halves.iter_mut().zip(2 * piece..) {
                *half = centred::<V, WHOLE>(x, i, mean).mul(V::splat(scale));
            }
            store.put(piece, halves[0], halves[1]);
        }
    }
}

#[inline(always)]
fn back<V: Vector, const WHOLE: bool>(z: &[f32], scales: &[f32], dz: &[f32], dx: &mut [f32]) {
    let width = dx.len() / scales.len();
    let (z, dz) = (Floats::new(z, width), Floats::new(dz, width));
    for (row, (scale, dx)) in scales.iter().zip(dx.chunks_exact_mut(width)).enumerate() {
        row_backward::<V, WHOLE>((&z, &dz, row), *scale, dx, |_, _, _| ());
    }
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
    for (row, (scale, dx)) in scales.iter().zip(dx.chunks_exact_mut(width)).enumerate() {
        let mut store = RowStore::new(rounded, width, row);
        row_backward::<V, WHOLE>((z, dz, row), *scale, dx, |piece, low, high| {
            store.put(piece, low, high);
        });
    }
}

/// With `z` the standardised row: `dx += (dz - mean(dz) - z mean(dz z)) * scale`. `put` gets what
/// `dx` is afterwards, 32 numbers at a time: the number of the piece, its halves.
#[inline(always)]
fn row_backward<V: Vector, const WHOLE: bool>(
    (z, dz, row): (&impl Rows, &impl Rows, usize),
    scale: f32,
    dx: &mut [f32],
    mut put: impl FnMut(usize, V, V),
) {
    let n = dx.len();
    let [along_one, along_z] = sums(n, |i| {
        let (z, dz) = (z.lanes::<V, WHOLE>(row, i), dz.lanes::<V, WHOLE>(row, i));
        [dz, dz.mul(z)]
    });
    let (along_one, along_z) = (
        V::splat(along_one / n as f32),
        V::splat(-along_z / n as f32),
    );
    for piece in 0..n.div_ceil(2 * LANES) {
        let mut halves = [V::zero(); 2];
        for (half, i) in halves.iter_mut().zip(2 * piece..) {
            let g = dz.lanes::<V, WHOLE>(row, i).sub(along_one);
            let slope = z.lanes::<V, WHOLE>(row, i).mul_add(along_z, g);
            *half = slope.mul_add(V::splat(scale), lanes::<V, WHOLE>(dx, i, 0.0));
            put_lanes::<V, WHOLE>(dx, i, *half);
            if !WHOLE {
                // past the end, where a layer expects zeros, there is more in it
                *half = lanes::<V, WHOLE>(dx, i, 0.0);
            }
        }
        put(piece, halves[0], halves[1]);
    }
}

/// Rows of numbers, 0 past their ends.
trait Rows {
    /// 16 numbers of a row, from `16 i` on.
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V;
}

/// Row by row.
struct Floats<'a> {
    numbers: &'a [f32],
    width: usize,
}

impl<'a> Floats<'a> {
    #[inline(always)]
    fn new(numbers: &'a [f32], width: usize) -> Self {
        Self { numbers, width }
    }
}

impl Rows for Floats<'_> {
    #[inline(always)]
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V {
        lanes::<V, WHOLE>(&self.numbers[row * self.width..][..self.width], i, 0.0)
    }
}

/// In the tiles of 16 rows.
struct InTiles<'a>(&'a [u16]);

impl Rows for InTiles<'_> {
    #[inline(always)]
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V {
        let start = i / 2 * TILE + row * TILE_COLUMNS + i % 2 * LANES;
        V::widen(self.0[start..].first_chunk().expect("half a row of a tile"))
    }
}

/// Mean of a row, and one over its standard deviation.
#[inline(always)]
fn moments<V: Vector, const WHOLE: bool>(x: &[f32], eps: f32) -> (f32, f32) {
    let n = x.len();
    let [sum] = sums(n, |i| [lanes::<V, WHOLE>(x, i, 0.0)]);
    let mean = sum / n as f32;
    let [square] = sums(n, |i| {
        let z = centred::<V, WHOLE>(x, i, mean);
        [z.mul(z)]
    });
    (mean, 1.0 / (square / n as f32 + eps).sqrt())
}

/// 16 numbers of a row, from `16 i` on; past its end they are `rest`.
#[inline(always)]
fn lanes<V: Vector, const WHOLE: bool>(row: &[f32], i: usize, rest: f32) -> V {
    let row = &row[(i * LANES).min(row.len())..];
    if WHOLE || row.len() >= LANES {
        return V::load(row.first_chunk().expect("whole vectors"));
    }
    let mut some = [rest; LANES];
    some[..row.len()].copy_from_slice(row);
    V::load(&some)
}

/// 16 numbers of a row less its mean; past its end they are 0.
#[inline(always)]
fn centred<V: Vector, const WHOLE: bool>(row: &[f32], i: usize, mean: f32) -> V {
    lanes::<V, WHOLE>(row, i, mean).sub(V::splat(mean))
}

/// Writes those of 16 numbers that lie inside a row, from `16 i` on.
#[inline(always)]
fn put_lanes<V: Vector, const WHOLE: bool>(row: &mut [f32], i: usize, numbers: V) {
    let first = (i * LANES).min(row.len());
    let row = &mut row[first..];
    if WHOLE || row.len() >= LANES {
        return numbers.store(row.first_chunk_mut().expect("whole vectors"));
    }
    let mut some = [0.0; LANES];
    numbers.store(&mut some);
    row.copy_from_slice(&some[..row.len()]);
}

/// Sums over a row of `n` numbers in a fixed order; `terms(i)` are 16 terms of each, from `16 i` on.
#[inline(always)]
fn sums<V: Vector, const N: usize>(n: usize, terms: impl Fn(usize) -> [V; N]) -> [f32; N] {
    // several of each, so that an addition need not wait for the one before
    let mut parts = [[V::zero(); N]; 4];
    let count = n.div_ceil(LANES);
    for first in (0..count).step_by(parts.len()) {
        for (part, i) in parts.iter_mut().zip(first..count) {
            let terms = terms(i);
            for k in 0..N {
                part[k] = part[k].add(terms[k]);
            }
        }
    }
    let [a, b, c, d] = parts;
    let mut totals = [0.0; N];
    for k in 0..N {
        totals[k] = fold(a[k].add(b[k]).add(c[k].add(d[k])));
    }
    totals
}

/// The sum of 16 numbers.
#[inline(always)]
fn fold<V: Vector>(numbers: V) -> f32 {
    let mut half = [0.0; LANES];
    numbers.store(&mut half);
    let mut width = LANES / 2;
    while width > 0 {
        for j in 0..width {
            half[j] += half[j + width];
        }
        width /= 2;
    }
    half[0]
}
