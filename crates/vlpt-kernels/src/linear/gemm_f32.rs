//! f32 products through the `gemm` crate, in fixed tiles.

use gemm::Parallelism;
use rayon::prelude::*;

use super::{Finish, Output};

/// Rows and columns of a tile of the result: the unit of work of one thread. Fixed, and each tile
/// is one single-threaded product, so the bits do not depend on the number of threads.
const TILE_ROWS: usize = 192;
const TILE_COLUMNS: usize = 256;

/// Row-major weights, outputs x inputs.
#[derive(Clone, Debug)]
pub(super) struct GemmF32 {
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
}

impl GemmF32 {
    pub(super) fn new(inputs: usize, outputs: usize, weight: Vec<f32>) -> Self {
        Self {
            inputs,
            outputs,
            weight,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.weight.as_slice())
    }

    /// `y = x W^T`, or `y += x W^T`, then `finish` on each row of each tile.
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32], add: bool, finish: &impl Finish) {
        let right = Right {
            strides: (self.inputs, 1),
            depth: self.inputs,
            columns: self.outputs,
        };
        right.multiply(x, &self.weight, y, add, finish);
    }

    /// `dx = dy W`, or `dx += dy W`, then `finish` on each row of each tile.
    pub(super) fn backward(&self, dy: &[f32], dx: &mut [f32], add: bool, finish: &impl Finish) {
        let right = Right {
            strides: (1, self.inputs),
            depth: self.outputs,
            columns: self.inputs,
        };
        right.multiply(dy, &self.weight, dx, add, finish);
    }
}

/// The right-hand side of a product, depth x columns: element (k, j) is at
/// `j * strides.0 + k * strides.1`.
struct Right {
    strides: (usize, usize),
    depth: usize,
    columns: usize,
}

impl Right {
    fn multiply(&self, x: &[f32], w: &[f32], y: &mut [f32], add: bool, finish: &impl Finish) {
        let rows = y.len() / self.columns;
        assert_eq!(x.len(), rows * self.depth, "left-hand side of a product");
        assert_eq!(
            w.len(),
            self.depth * self.columns,
            "right-hand side of a product"
        );
        let y = Output::new(y, self.columns);
        let across = self.columns.div_ceil(TILE_COLUMNS);
        let tiles = rows.div_ceil(TILE_ROWS) * across;
        (0..tiles).into_par_iter().with_max_len(1).for_each(|tile| {
            let row = tile / across * TILE_ROWS;
            let column = tile % across * TILE_COLUMNS;
            let height = TILE_ROWS.min(rows - row);
            let width = TILE_COLUMNS.min(self.columns - column);
            let (dst, left) = (
                y.start.wrapping_add(row * self.columns + column),
                &x[row * self.depth..],
            );
            // SAFETY: the tile lies inside y, rows row..row + height of x and columns
            // column..column + width of w inside theirs, by the assertions above; no other task
            // has this tile.
            unsafe {
                gemm::gemm(
                    height,
                    width,
                    self.depth,
                    dst,
                    1,
                    self.columns as isize,
                    add,
                    left.as_ptr(),
                    1,
                    self.depth as isize,
                    w[column * self.strides.0..].as_ptr(),
                    self.strides.0 as isize,
                    self.strides.1 as isize,
                    1.0,
                    1.0,
                    false,
                    false,
                    false,
                    Parallelism::None,
                );
            }
            for r in row..row + height {
                // SAFETY: the tile belongs to this task alone, and its parts are taken in turn.
                finish.finish(r, column, unsafe { y.part(r, column, width) });
            }
        });
    }
}
