//! Activations in the number format of the layers that read them.

use std::cell::RefCell;

use crate::Precision;
use crate::arena::{Arena, Buffer};
use crate::threads::{Parts, for_parts};
use crate::tile::{TILE_COLUMNS, TILE_ROWS, Tiles, offset, round_rows, rows_of_tiles, tile_rows};

/// Rows of activations, one token a row, as a frozen layer reads them.
///
/// f32 lies row by row. bf16 lies in tiles of 16 rows and 32 columns, a tile row by row, the tiles
/// of 16 rows one after another; columns past the width are 0, rows past the last are anything.
#[derive(Debug)]
pub struct Matrix {
    rows: usize,
    width: usize,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    F32(Buffer<f32>),
    Bf16(Buffer<u16>),
}

/// The left-hand side of a product with frozen weights.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
    /// Row by row.
    F32(&'a [f32]),
    /// In tiles.
    Bf16(Tiles<'a>),
}

thread_local! {
    /// Rows that are to be rounded.
    static WRITTEN: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

impl Matrix {
    /// Rows of any value.
    ///
    /// # Panics
    /// When the width is 0.
    pub fn new(arena: &Arena, precision: Precision, rows: usize, width: usize) -> Self {
        assert!(width > 0, "a matrix without columns");
        let numbers = match precision {
            Precision::F32 => Numbers::F32(arena.floats(rows * width)),
            Precision::Bf16 => {
                // two tiles high, since products take as many rows at once
                let rows = rows.next_multiple_of(2 * TILE_ROWS);
                let mut numbers = arena.take(rows * width.next_multiple_of(TILE_COLUMNS));
                if !width.is_multiple_of(TILE_COLUMNS) {
                    numbers.fill(0);
                }
                Numbers::Bf16(numbers)
            }
        };
        Self {
            rows,
            width,
            numbers,
        }
    }

    /// The rows of `floats` (rows x width), rounded to the format.
    ///
    /// # Panics
    /// When the length is no multiple of the width.
    pub fn of(arena: &Arena, precision: Precision, width: usize, floats: &[f32]) -> Self {
        let mut matrix = Self::new(arena, precision, floats.len() / width, width);
        matrix.set(floats);
        matrix
    }

    /// `rows` rows that `write` gives, one at a time and in any order: number of the row, the row.
    ///
    /// # Panics
    /// When the width is 0.
    pub fn written(
        arena: &Arena,
        precision: Precision,
        (rows, width): (usize, usize),
        write: impl Fn(usize, &mut [f32]) + Sync,
    ) -> Self {
        let mut matrix = Self::new(arena, precision, rows, width);
        let write_all = |first: usize, floats: &mut [f32]| {
            for (row, floats) in (first * TILE_ROWS..).zip(floats.chunks_exact_mut(width)) {
                write(row, floats);
            }
        };
        match &mut matrix.numbers {
            Numbers::F32(floats) => {
                for_parts(&Parts::new(floats, TILE_ROWS * width), write_all);
            }
            Numbers::Bf16(numbers) => {
                for_parts(&tile_rows(numbers, width, rows), |i, tiles| {
                    WRITTEN.with_borrow_mut(|floats| {
                        floats.resize(TILE_ROWS.min(rows - i * TILE_ROWS) * width, 0.0);
                        write_all(i, floats);
                        round_rows(floats, width, tiles);
                    });
                });
            }
        }
        matrix
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The number format.
    pub fn precision(&self) -> Precision {
        match self.numbers {
            Numbers::F32(_) => Precision::F32,
            Numbers::Bf16(_) => Precision::Bf16,
        }
    }

    /// Bytes that a matrix takes; bf16 rows are padded to blocks of 32.
    pub fn bytes(precision: Precision, rows: usize, width: usize) -> usize {
        match precision {
            Precision::F32 => rows * width * size_of::<f32>(),
            Precision::Bf16 => {
                let rows = rows.next_multiple_of(2 * TILE_ROWS);
                rows * width.next_multiple_of(TILE_COLUMNS) * size_of::<u16>()
            }
        }
    }

    /// As the left-hand side of a product.
    pub fn operand(&self) -> Operand<'_> {
        match &self.numbers {
            Numbers::F32(floats) => Operand::F32(floats),
            Numbers::Bf16(numbers) => Operand::Bf16(Tiles {
                rows: self.rows,
                width: self.width,
                numbers,
            }),
        }
    }

    /// Takes the rows of `floats` (rows x width), rounded to the format.
    ///
    /// # Panics
    /// When `floats` has another length.
    pub fn set(&mut self, floats: &[f32]) {
        assert_eq!(floats.len(), self.rows * self.width, "rows of a matrix");
        let width = self.width;
        match &mut self.numbers {
            Numbers::F32(own) => own.copy_from_slice(floats),
            Numbers::Bf16(numbers) => {
                for_parts(&tile_rows(numbers, width, self.rows), |i, tiles| {
                    round_rows(rows_of_tiles(floats, width, i), width, tiles);
                });
            }
        }
    }

    /// The rows as floats, rows x width.
    pub fn to_floats(&self) -> Vec<f32> {
        match self.operand() {
            Operand::F32(floats) => floats.to_vec(),
            Operand::Bf16(tiles) => {
                let mut floats = vec![0.0; self.rows * self.width];
                for (row, floats) in floats.chunks_exact_mut(self.width).enumerate() {
                    tiles.widen_row(row, 0, floats);
                }
                floats
            }
        }
    }

    /// The rows `rows` of `from`, in that order.
    ///
    /// # Panics
    /// When a row is not there.
    pub fn gather(arena: &Arena, from: &Self, rows: &[u32]) -> Self {
        let there = rows.iter().all(|row| (*row as usize) < from.rows);
        assert!(there, "a row of a matrix of {} rows", from.rows);
        let mut to = Self::new(arena, from.precision(), rows.len(), from.width);
        let width = from.width;
        match (&from.numbers, &mut to.numbers) {
            (Numbers::F32(from), Numbers::F32(to)) => crate::gather_rows(from, width, rows, to),
            (Numbers::Bf16(from), Numbers::Bf16(to)) => {
                let across = width.div_ceil(TILE_COLUMNS);
                for (i, &row) in rows.iter().enumerate() {
                    for tile in 0..across {
                        let (source, place) =
                            (offset(across, row as usize, tile), offset(across, i, tile));
                        to[place..place + TILE_COLUMNS]
                            .copy_from_slice(&from[source..source + TILE_COLUMNS]);
                    }
                }
            }
            _ => unreachable!("the copy was made in the format of the original"),
        }
        to
    }

    pub(crate) fn floats_mut(&mut self) -> &mut [f32] {
        match &mut self.numbers {
            Numbers::F32(floats) => floats,
            Numbers::Bf16(_) => panic!("a bf16 matrix where f32 is computed"),
        }
    }

    /// The numbers past the width of the first rows.
    #[cfg(test)]
    pub(crate) fn padding(&mut self, rows: usize) -> Vec<u16> {
        let (width, across) = (self.width, self.width.div_ceil(TILE_COLUMNS));
        let tiles = self.tiles_mut();
        let of_row = |row| {
            let last = &tiles[offset(across, row, across - 1)..][..TILE_COLUMNS];
            last[width - (across - 1) * TILE_COLUMNS..].to_vec()
        };
        (0..rows).flat_map(of_row).collect()
    }

    /// The numbers of all tiles.
    pub(crate) fn tiles_mut(&mut self) -> &mut [u16] {
        match &mut self.numbers {
            Numbers::Bf16(numbers) => numbers,
            Numbers::F32(_) => panic!("an f32 matrix where bf16 is computed"),
        }
    }
}

impl Operand<'_> {
    /// Number of rows of `width` columns.
    ///
    /// # Panics
    /// When the rows have another length.
    pub(crate) fn rows(&self, width: usize) -> usize {
        match self {
            Self::F32(floats) => {
                assert!(
                    floats.len().is_multiple_of(width),
                    "rows of {width} columns"
                );
                floats.len() / width
            }
            Self::Bf16(tiles) => {
                assert_eq!(tiles.width, width, "columns of a product");
                tiles.rows
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_holds_what_it_was_given_rounded_to_its_format() {
        let arena = Arena::default();
        for (rows, width) in [(1, 1), (16, 32), (17, 33), (40, 192), (3, 31)] {
            let floats: Vec<f32> = (0..rows * width)
                .map(|i| (i % 201) as f32 - 100.0)
                .collect();
            for precision in [Precision::F32, Precision::Bf16] {
                let matrix = Matrix::of(&arena, precision, width, &floats);
                assert_eq!(matrix.to_floats(), floats, "{rows} x {width} {precision:?}");
                let last = rows as u32 - 1;
                let picked = Matrix::gather(&arena, &matrix, &[last, 0]);
                let want = [&floats[last as usize * width..], &floats[..width]].concat();
                assert_eq!(picked.to_floats(), want);
                let written = Matrix::written(&arena, precision, (rows, width), |row, to| {
                    to.copy_from_slice(&floats[row * width..][..width]);
                });
                assert_eq!(written.to_floats(), floats);
            }
        }
    }

    #[test]
    fn columns_past_the_width_are_zero() {
        let arena = Arena::default();
        drop(Matrix::of(&arena, Precision::Bf16, 64, &[7.0; 64 * 20]));
        let mut matrix = Matrix::of(&arena, Precision::Bf16, 33, &[1.0; 33 * 20]);
        let padding = matrix.padding(20);
        assert_eq!(padding.len(), 20 * 31);
        assert!(padding.iter().all(|x| *x == 0));
        assert_eq!(matrix.tiles_mut()[offset(2, 19, 1)], 0x3f80);
    }
}
