//! A matrix that threads fill part by part.

use std::marker::PhantomData;

use crate::matrix::Matrix;
use crate::prefetch;
use crate::tile::{TILE_COLUMNS, TILE_ROWS, offset};
use crate::vector::LANES;

/// A matrix of which threads write disjoint parts of rows.
#[derive(Clone, Copy)]
pub(crate) struct Output<'a> {
    start: *mut f32,
    rows: usize,
    width: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: all access is through `part` and `tile`, whose callers promise that no element is in two
// hands at once.
unsafe impl Send for Output<'_> {}
// SAFETY: as above.
unsafe impl Sync for Output<'_> {}

impl<'a> Output<'a> {
    pub(crate) fn new(matrix: &'a mut [f32], width: usize) -> Self {
        let (start, rows) = (matrix.as_mut_ptr(), matrix.len() / width);
        Self {
            start,
            rows,
            width,
            life: PhantomData,
        }
    }

    /// Where a tile of `height` rows and `count` columns starts; its rows are `width` apart.
    pub(crate) fn tile(&self, row: usize, height: usize, first: usize, count: usize) -> *mut f32 {
        assert!(
            row + height <= self.rows && first + count <= self.width,
            "tile outside a matrix"
        );
        // SAFETY: inside the matrix by the assertion.
        unsafe { self.start.add(row * self.width + first) }
    }

    /// Prefetches rows that will be written soon: 32 columns from a column on.
    #[inline(always)]
    pub(crate) fn prepare(&self, row: usize, count: usize, column: usize) {
        for i in 0..count {
            let start = self.start.wrapping_add((row + i) * self.width + column);
            prefetch::to_write(start);
            prefetch::to_write(start.wrapping_add(LANES));
        }
    }

    /// Columns `first..first + count` of a row.
    ///
    /// # Safety
    /// While the part is held, no other part or tile that overlaps it is in use.
    pub(crate) unsafe fn part(&self, row: usize, first: usize, count: usize) -> &'a mut [f32] {
        let start = self.tile(row, 1, first, count);
        // SAFETY: inside the matrix (`tile` asserts it), borrowed mutably for 'a by `new`, and not
        // aliased by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(start, count) }
    }

    /// 32 columns from a column on of `N` rows from a row on.
    ///
    /// # Safety
    /// As for [`Output::part`].
    #[inline(always)]
    pub(crate) unsafe fn rows<const N: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> [&'a mut [f32; TILE_COLUMNS]; N] {
        let start = self.tile(row, N, column, TILE_COLUMNS);
        // SAFETY: as above, row by row; no two rows overlap, as the columns lie inside the width.
        std::array::from_fn(|i| unsafe { &mut *start.add(i * self.width).cast() })
    }
}

/// A bf16 [`Matrix`] of which threads write disjoint parts of rows.
#[derive(Clone, Copy)]
pub(crate) struct TileOutput<'a> {
    start: *mut u16,
    rows: usize,
    across: usize,
    life: PhantomData<&'a mut [u16]>,
}

// SAFETY: all access is through `part`, whose callers promise that no element is in two hands at
// once.
unsafe impl Send for TileOutput<'_> {}
// SAFETY: as above.
unsafe impl Sync for TileOutput<'_> {}

impl<'a> TileOutput<'a> {
    pub(crate) fn new(matrix: &'a mut Matrix) -> Self {
        let (rows, across) = (matrix.rows(), matrix.width().div_ceil(TILE_COLUMNS));
        Self {
            start: matrix.tiles_mut().as_mut_ptr(),
            rows,
            across,
            life: PhantomData,
        }
    }

    /// The 32 columns from `32 tile` on of a row.
    ///
    /// # Safety
    /// While the part is held, it is not in use elsewhere.
    #[inline(always)]
    pub(crate) unsafe fn part(&self, row: usize, tile: usize) -> &'a mut [u16; TILE_COLUMNS] {
        assert!(
            row < self.rows && tile < self.across,
            "a part outside a matrix"
        );
        let place = offset(self.across, row, tile);
        // SAFETY: inside the matrix by the assertion and the layout of tiles, borrowed mutably for
        // 'a by `new`, and not aliased by the caller's promise.
        unsafe { &mut *self.start.add(place).cast() }
    }

    /// `N` rows of the tile that holds a column, from a row on that is a multiple of `N`, a part of a
    /// tile; they may reach past the last row.
    ///
    /// # Safety
    /// While the rows are held, they are not in use elsewhere.
    #[inline(always)]
    pub(crate) unsafe fn rows<const N: usize>(
        &self,
        row: usize,
        column: usize,
    ) -> &'a mut [[u16; TILE_COLUMNS]; N] {
        const { assert!(TILE_ROWS.is_multiple_of(N), "rows of a tile") };
        // SAFETY: a matrix has whole blocks of 32 rows, so the rows of which `place` asserts that
        // the first lies inside it lie inside it, are borrowed mutably for 'a by `new`, and are not
        // aliased by the caller's promise.
        unsafe { &mut *self.place::<N>(row, column).cast() }
    }

    /// Where the part of a row, a multiple of `N`, starts in the tile that holds a column.
    #[inline(always)]
    fn place<const N: usize>(&self, row: usize, column: usize) -> *mut u16 {
        let (padded, tile) = (
            self.rows.next_multiple_of(2 * TILE_ROWS),
            column / TILE_COLUMNS,
        );
        assert!(
            row < padded && row.is_multiple_of(N) && tile < self.across,
            "rows outside a matrix"
        );
        // SAFETY: inside the matrix, which has whole blocks of 32 rows, by the assertion.
        unsafe { self.start.add(offset(self.across, row, tile)) }
    }

    /// One number of a row.
    ///
    /// # Safety
    /// While the pointer is used, the number is not in use elsewhere.
    pub(crate) unsafe fn number(&self, row: usize, column: usize) -> *mut u16 {
        let tile = column / TILE_COLUMNS;
        assert!(
            row < self.rows && tile < self.across,
            "a number outside a matrix"
        );
        let place = offset(self.across, row, tile) + column % TILE_COLUMNS;
        // SAFETY: inside the matrix by the assertion and the layout of tiles.
        unsafe { self.start.add(place) }
    }
}
