//! The rows of a layer norm, 16 numbers at a time.

use super::LayerNorm;
use crate::matrix::RowStore;
use crate::vector::{LANES, Vector, over_vectors};

over_vectors! {
    pub(super) fn rows_forward<V>(norm: &LayerNorm, x: &[f32], y: &mut [f32]) {
        if norm.is_whole() {
            norm.rows::<V, true>(x, y);
        } else {
            norm.rows::<V, false>(x, y);
        }
    }
}

over_vectors! {
    /// Up to 16 rows into their tiles.
    pub(super) fn tiles_forward<V>(norm: &LayerNorm, x: &[f32], tiles: &mut [u16]) {
        if norm.is_whole() {
            norm.tiles::<V, true>(x, tiles);
        } else {
            norm.tiles::<V, false>(x, tiles);
        }
    }
}

over_vectors! {
    pub(super) fn rows_backward<V>(norm: &LayerNorm, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        if norm.is_whole() {
            norm.rows_back::<V, true>(x, dy, dx);
        } else {
            norm.rows_back::<V, false>(x, dy, dx);
        }
    }
}

over_vectors! {
    /// Up to 16 rows; what `dx` is afterwards goes into their tiles too.
    pub(super) fn tiles_backward<V>(
        norm: &LayerNorm,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        tiles: &mut [u16],
    ) {
        if norm.is_whole() {
            norm.tiles_back::<V, true>(x, dy, dx, tiles);
        } else {
            norm.tiles_back::<V, false>(x, dy, dx, tiles);
        }
    }
}

impl LayerNorm {
    /// One normalised row, given to `put` 32 numbers at a time: the number of the piece, its halves.
    #[inline(always)]
    fn row<V: Vector, const WHOLE: bool>(&self, x: &[f32], mut put: impl FnMut(usize, V, V)) {
        let n = self.width();
        let [sum] = sums(n, |i| [lanes::<V, WHOLE>(x, i, 0.0)]);
        let mean = sum / n as f32;
        let [square] = sums(n, |i| {
            let z = centred::<V, WHOLE>(x, i, mean);
            [z.mul(z)]
        });
        let scale = V::splat(self.scale(square));
        for piece in 0..n.div_ceil(2 * LANES) {
            let mut halves = [V::zero(); 2];
            for (half, i) in halves.iter_mut().zip(2 * piece..) {
                let z = centred::<V, WHOLE>(x, i, mean).mul(scale);
                *half = z.mul_add(
                    lanes::<V, WHOLE>(&self.weight, i, 0.0),
                    lanes::<V, WHOLE>(&self.bias, i, 0.0),
                );
            }
            put(piece, halves[0], halves[1]);
        }
    }

    /// With `g = dy * weight` and `z` the normalised row: `dx += (g - mean(g) - z mean(g z)) * scale`.
    /// `put` gets what `dx` is afterwards, as in [`LayerNorm::row`].
    #[inline(always)]
    fn row_backward<V: Vector, const WHOLE: bool>(
        &self,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        mut put: impl FnMut(usize, V, V),
    ) {
        let n = self.width();
        let [sum] = sums(n, |i| [lanes::<V, WHOLE>(x, i, 0.0)]);
        let mean = sum / n as f32;
        let [square, along_one, along_x] = sums(n, |i| {
            let (z, g) = (
                centred::<V, WHOLE>(x, i, mean),
                self.weighted::<V, WHOLE>(dy, i),
            );
            [z.mul(z), g, g.mul(z)]
        });
        let scale = self.scale(square);
        let along_one = V::splat(along_one / n as f32);
        let along_z = V::splat(-scale * scale * along_x / n as f32);
        let scale = V::splat(scale);
        for piece in 0..n.div_ceil(2 * LANES) {
            let mut halves = [V::zero(); 2];
            for (half, i) in halves.iter_mut().zip(2 * piece..) {
                let g = self.weighted::<V, WHOLE>(dy, i).sub(along_one);
                let slope = centred::<V, WHOLE>(x, i, mean).mul_add(along_z, g);
                *half = slope.mul_add(scale, lanes::<V, WHOLE>(dx, i, 0.0));
                put_lanes::<V, WHOLE>(dx, i, *half);
                if !WHOLE {
                    // past the end, where a layer expects zeros, there is more in it
                    *half = lanes::<V, WHOLE>(dx, i, 0.0);
                }
            }
            put(piece, halves[0], halves[1]);
        }
    }

    /// 16 numbers of `dy * weight`.
    #[inline(always)]
    fn weighted<V: Vector, const WHOLE: bool>(&self, dy: &[f32], i: usize) -> V {
        lanes::<V, WHOLE>(dy, i, 0.0).mul(lanes::<V, WHOLE>(&self.weight, i, 0.0))
    }

    #[inline(always)]
    fn rows<V: Vector, const WHOLE: bool>(&self, x: &[f32], y: &mut [f32]) {
        let width = self.width();
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            self.row::<V, WHOLE>(x, |piece, low, high| {
                put_lanes::<V, WHOLE>(y, 2 * piece, low);
                put_lanes::<V, WHOLE>(y, 2 * piece + 1, high);
            });
        }
    }

    #[inline(always)]
    fn tiles<V: Vector, const WHOLE: bool>(&self, x: &[f32], tiles: &mut [u16]) {
        let width = self.width();
        for (row, x) in x.chunks_exact(width).enumerate() {
            let mut store = RowStore::new(tiles, width, row);
            self.row::<V, WHOLE>(x, |piece, low, high| store.put(piece, low, high));
        }
    }

    #[inline(always)]
    fn rows_back<V: Vector, const WHOLE: bool>(&self, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        let width = self.width();
        let (x, dy) = (x.chunks_exact(width), dy.chunks_exact(width));
        for ((x, dy), dx) in x.zip(dy).zip(dx.chunks_exact_mut(width)) {
            self.row_backward::<V, WHOLE>(x, dy, dx, |_, _, _| ());
        }
    }

    #[inline(always)]
    fn tiles_back<V: Vector, const WHOLE: bool>(
        &self,
        x: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        tiles: &mut [u16],
    ) {
        let width = self.width();
        let (x, dy) = (x.chunks_exact(width), dy.chunks_exact(width));
        for (row, ((x, dy), dx)) in x.zip(dy).zip(dx.chunks_exact_mut(width)).enumerate() {
            let mut store = RowStore::new(tiles, width, row);
            self.row_backward::<V, WHOLE>(x, dy, dx, |piece, low, high| {
                store.put(piece, low, high);
            });
        }
    }

    /// Whether a row is whole pairs of vectors, which needs no care for its end.
    fn is_whole(&self) -> bool {
        self.width().is_multiple_of(2 * LANES)
    }

    /// One over the standard deviation, given the sum of the squares of the centred row.
    #[inline(always)]
    fn scale(&self, square: f32) -> f32 {
        1.0 / (square / self.width() as f32 + self.eps).sqrt()
    }
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
