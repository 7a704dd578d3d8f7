//! Rows of numbers, 16 at a time.

use crate::tile::{TILE, TILE_COLUMNS};
use crate::vector::{LANES, Vector};

/// Rows that are dealt with at once: each waits for its mean and for its variance, so one alone would
/// keep the processor waiting.
pub(super) const TOGETHER: usize = 4;

/// Chooses the loops for rows of whole pairs of vectors, which need no care for their end, where the
/// width is such.
macro_rules! by_width {
    ($width:expr, $function:ident::<$v:ident>($($argument:expr),*)) => {
        if $width.is_multiple_of(2 * $crate::vector::LANES) {
            $function::<$v, true>($($argument),*);
        } else {
            $function::<$v, false>($($argument),*);
        }
    };
}

/// Calls a function for rows `0..$rows`, for as many at once as it is told in its last parameter.
macro_rules! by_rows {
    ($rows:expr, $function:ident::<$v:ident, $whole:ident>($($argument:expr),*)) => {
        const TOGETHER: usize = $crate::norm::lanes::TOGETHER;
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

pub(super) use {by_rows, by_width};

/// Rows of numbers, 0 past their ends.
pub(super) trait Rows {
    /// 16 numbers of a row, from `16 i` on.
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V;

    /// The tiles of 16 rows in which they lie, if they do.
    #[inline(always)]
    fn tiles(&self) -> Option<&[u16]> {
        None
    }
}

/// Row by row.
pub(super) struct Floats<'a> {
    numbers: &'a [f32],
    pub(super) width: usize,
}

impl<'a> Floats<'a> {
    #[inline(always)]
    pub(super) fn new(numbers: &'a [f32], width: usize) -> Self {
        Self { numbers, width }
    }

    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> &[f32] {
        &self.numbers[row * self.width..][..self.width]
    }
}

impl Rows for Floats<'_> {
    #[inline(always)]
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V {
        lanes::<V, WHOLE>(self.row(row), i, 0.0)
    }
}

/// In the tiles of 16 rows.
pub(super) struct InTiles<'a>(pub(super) &'a [u16]);

impl Rows for InTiles<'_> {
    #[inline(always)]
    fn lanes<V: Vector, const WHOLE: bool>(&self, row: usize, i: usize) -> V {
        let start = i / 2 * TILE + row * TILE_COLUMNS + i % 2 * LANES;
        V::widen(self.0[start..].first_chunk().expect("half a row of a tile"))
    }

    #[inline(always)]
    fn tiles(&self) -> Option<&[u16]> {
        Some(self.0)
    }
}

/// 16 numbers of a row, from `16 i` on; past its end they are `rest`.
#[inline(always)]
pub(super) fn lanes<V: Vector, const WHOLE: bool>(row: &[f32], i: usize, rest: f32) -> V {
    let row = &row[(i * LANES).min(row.len())..];
    if WHOLE || row.len() >= LANES {
        return V::load(row.first_chunk().expect("whole vectors"));
    }
    let mut some = [rest; LANES];
    some[..row.len()].copy_from_slice(row);
    V::load(&some)
}

/// Writes those of 16 numbers that lie inside a row, from `16 i` on.
#[inline(always)]
pub(super) fn put_lanes<V: Vector, const WHOLE: bool>(row: &mut [f32], i: usize, numbers: V) {
    let first = (i * LANES).min(row.len());
    let row = &mut row[first..];
    if WHOLE || row.len() >= LANES {
        return numbers.store(row.first_chunk_mut().expect("whole vectors"));
    }
    let mut some = [0.0; LANES];
    numbers.store(&mut some);
    row.copy_from_slice(&some[..row.len()]);
}

/// Sums over some rows of `n` numbers in a fixed order, the same for any number of rows; `add(r, i, sums)`
/// are the sums of row `r` with 16 terms more of each, from `16 i` on.
#[inline(always)]
pub(super) fn sums<V: Vector, const ROWS: usize, const N: usize>(
    n: usize,
    add: impl Fn(usize, usize, [V; N]) -> [V; N],
) -> [[f32; N]; ROWS] {
    // two of each, so that an addition need not wait for the one before
    let mut parts = [[[V::zero(); N]; ROWS]; 2];
    let count = n.div_ceil(LANES);
    for first in (0..count).step_by(parts.len()) {
        for (part, i) in parts.iter_mut().zip(first..count) {
            for (r, part) in part.iter_mut().enumerate() {
                *part = add(r, i, *part);
            }
        }
    }
    let mut totals = [[0.0; N]; ROWS];
    let [even, odd] = parts;
    for r in 0..ROWS {
        for k in 0..N {
            totals[r][k] = fold(even[r][k].add(odd[r][k]));
        }
    }
    totals
}

/// Sums over some rows of numbers `a`, and of their products with `b`, which lie in whole tiles.
#[inline(always)]
pub(super) fn sums_of_tiles<V: Vector, const ROWS: usize>(
    n: usize,
    first: usize,
    a: &[u16],
    b: &[u16],
) -> [[f32; 2]; ROWS] {
    const ONES: [u16; TILE_COLUMNS] = [0x3f80; TILE_COLUMNS];
    let mut sums = [[V::zero(); 2]; ROWS];
    let tiles = a.chunks_exact(TILE).zip(b.chunks_exact(TILE));
    for (a, b) in tiles.take(n / TILE_COLUMNS) {
        let a = a[first * TILE_COLUMNS..][..ROWS * TILE_COLUMNS]
            .as_chunks()
            .0;
        let b = b[first * TILE_COLUMNS..][..ROWS * TILE_COLUMNS]
            .as_chunks()
            .0;
        for (sums, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            sums[0] = sums[0].add_products(a, &ONES);
            sums[1] = sums[1].add_products(a, b);
        }
    }
    let mut totals = [[0.0; 2]; ROWS];
    for (totals, sums) in totals.iter_mut().zip(sums) {
        *totals = [fold(sums[0]), fold(sums[1])];
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
