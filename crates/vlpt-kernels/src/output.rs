//! A matrix that threads fill part by part.

use std::marker::PhantomData;

use crate::matrix::{Matrix, TILE_COLUMNS, TILE_ROWS, offset};

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

    /// Brings some rows of a tile near, to be written soon.
    pub(crate) fn prepare(&self, row: usize, height: usize, first: usize, count: usize) {
        if height == 0 || count == 0 {
            return;
        }
        let start = self.tile(row, height, first, count);
        for i in 0..height {
            let line = start.wrapping_add(i * self.width);
            near(line);
            near(line.wrapping_add(count - 1));
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

    /// The tile that starts at a row and a column; it may reach past the last row.
    ///
    /// # Safety
    /// While the tile is held, it is not in use elsewhere.
    #[inline(always)]
    pub(crate) unsafe fn tile(
        &self,
        row: usize,
        column: usize,
    ) -> &'a mut [[u16; TILE_COLUMNS]; TILE_ROWS] {
        // SAFETY: a matrix has whole blocks of 32 rows, so the tile that `place` asserts to start
        // inside it lies inside it, is borrowed mutably for 'a by `new`, and is not aliased by the
        // caller's promise.
        unsafe { &mut *self.place(row, column).cast() }
    }

    /// Brings the two tiles of a block of 32 rows near, to be written soon.
    pub(crate) fn prepare(&self, row: usize, column: usize) {
        for tile in [row, row + TILE_ROWS] {
            let start = self.place(tile, column);
            for line in 0..TILE_ROWS {
                near(start.wrapping_add(line * TILE_COLUMNS));
            }
        }
    }

    /// Where the tile starts at a row and a column that are multiples of its size.
    #[inline(always)]
    fn place(&self, row: usize, column: usize) -> *mut u16 {
        let (padded, tile) = (
            self.rows.next_multiple_of(2 * TILE_ROWS),
            column / TILE_COLUMNS,
        );
        assert!(
            row < padded && row.is_multiple_of(TILE_ROWS) && tile < self.across,
            "a tile outside a matrix"
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

/// Brings a cache line near for writing: without it, a store would wait for the line and all stores
/// behind it would wait too.
#[inline(always)]
fn near<T>(at: *mut T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching an address is never an access.
    unsafe {
        std::arch::asm!("prefetchw [{}]", in(reg) at, options(nostack, readonly, preserves_flags));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}
