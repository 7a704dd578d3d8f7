//! Tiles of bf16 numbers.

use crate::threads::Parts;
use crate::vector::{LANES, Vector, over_vectors, widen};

/// Rows and columns of a tile, and its numbers.
pub(crate) const TILE_ROWS: usize = 16;
pub(crate) const TILE_COLUMNS: usize = 32;
pub(crate) const TILE: usize = TILE_ROWS * TILE_COLUMNS;

/// The tiles of a bf16 [`Matrix`](crate::Matrix).
#[derive(Clone, Copy, Debug)]
pub struct Tiles<'a> {
    pub(crate) rows: usize,
    pub(crate) width: usize,
    pub(crate) numbers: &'a [u16],
}

impl Tiles<'_> {
    /// Tiles side by side.
    pub(crate) fn across(&self) -> usize {
        self.width.div_ceil(TILE_COLUMNS)
    }

    /// The 32 columns from `32 tile` on of a row.
    #[inline(always)]
    pub(crate) fn part(&self, row: usize, tile: usize) -> &[u16; TILE_COLUMNS] {
        let start = offset(self.across(), row, tile);
        self.numbers[start..start + TILE_COLUMNS]
            .as_array()
            .expect("a row of a tile")
    }

    /// `N` rows of the tile that holds a column, from a row on that is a multiple of `N`, a part of a
    /// tile.
    #[inline(always)]
    pub(crate) fn rows<const N: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> &[[u16; TILE_COLUMNS]; N] {
        let start = offset(self.across(), row, column / TILE_COLUMNS);
        let rows = self.numbers[start..start + N * TILE_COLUMNS].as_chunks().0;
        rows.as_array().expect("rows of a tile")
    }

    /// The columns `first..first + floats.len()` of a row.
    pub(crate) fn widen_row(&self, row: usize, first: usize, floats: &mut [f32]) {
        for (column, to) in (first..).zip(floats) {
            *to = widen(self.part(row, column / TILE_COLUMNS)[column % TILE_COLUMNS]);
        }
    }
}

/// Where the part of a row in tile `tile` starts.
#[inline(always)]
pub(crate) fn offset(across: usize, row: usize, tile: usize) -> usize {
    (row / TILE_ROWS * across + tile) * TILE + row % TILE_ROWS * TILE_COLUMNS
}

/// The tiles of every 16 of the first `rows` rows.
pub(crate) fn tile_rows(numbers: &mut [u16], width: usize, rows: usize) -> Parts<'_, u16> {
    let size = TILE_ROWS * width.next_multiple_of(TILE_COLUMNS);
    Parts::new(&mut numbers[..rows.div_ceil(TILE_ROWS) * size], size)
}

/// The tiles of the 16 rows `index`.
pub(crate) fn tiles_of_rows(tiles: Tiles<'_>, index: usize) -> &[u16] {
    let size = TILE_ROWS * tiles.width.next_multiple_of(TILE_COLUMNS);
    &tiles.numbers[index * size..(index + 1) * size]
}

/// The floats of the rows of tiles `index`.
pub(crate) fn rows_of_tiles(floats: &[f32], width: usize, index: usize) -> &[f32] {
    let first = index * TILE_ROWS * width;
    &floats[first..floats.len().min(first + TILE_ROWS * width)]
}

over_vectors! {
    /// Rounds up to 16 rows into their tiles.
    pub(crate) fn round_rows<V>(floats: &[f32], width: usize, tiles: &mut [u16]) {
        for (row, floats) in floats.chunks_exact(width).enumerate() {
            let mut store = RowStore::new(tiles, width, row);
            let whole = width / TILE_COLUMNS;
            let (chunks, rest) = floats.as_chunks::<TILE_COLUMNS>();
            for tile in 0..whole {
                let (low, high) = halves(&chunks[tile]);
                store.put(tile, V::load(low), V::load(high));
            }
            if !rest.is_empty() {
                let mut last = [0.0; TILE_COLUMNS];
                last[..rest.len()].copy_from_slice(rest);
                let (low, high) = halves(&last);
                store.put(whole, V::load(low), V::load(high));
            }
        }
    }
}

over_vectors! {
    /// Rounds 32 columns of a row.
    pub(crate) fn round_part<V>(floats: &[f32; TILE_COLUMNS], to: &mut [u16; TILE_COLUMNS]) {
        let (low, high) = halves(floats);
        V::round_pair(V::load(low), V::load(high), to);
    }
}

/// The two vectors of 32 floats.
#[inline(always)]
pub(crate) fn halves(floats: &[f32; TILE_COLUMNS]) -> (&[f32; LANES], &[f32; LANES]) {
    let (low, high) = floats.split_at(LANES);
    (
        low.as_array().expect("half of them"),
        high.as_array().expect("half of them"),
    )
}

/// One row of the tiles of 16 rows, to be written.
pub(crate) struct RowStore<'a> {
    tiles: &'a mut [u16],
    row: usize,
}

impl<'a> RowStore<'a> {
    #[inline(always)]
    pub(crate) fn new(tiles: &'a mut [u16], width: usize, row: usize) -> Self {
        assert!(
            row < TILE_ROWS && tiles.len() >= TILE_ROWS * width,
            "a row of a tile"
        );
        Self { tiles, row }
    }

    #[inline(always)]
    pub(crate) fn put<V: Vector>(&mut self, tile: usize, low: V, high: V) {
        let start = tile * TILE + self.row * TILE_COLUMNS;
        let part = self.tiles[start..start + TILE_COLUMNS].as_mut_array();
        V::round_pair(low, high, part.expect("a row of a tile"));
    }
}
