//! f32 products through the `gemm` crate, in fixed tiles.

use super::Epilogue;
use crate::output::Output;
use crate::product::{Strided, multiply_into};
use crate::threads::for_tasks;

/// Most rows and columns of a tile of the result, the unit of work of one thread. Tiles depend on
/// the shape alone, and each is one single-threaded product, so the bits do not depend on the
/// number of threads.
const TASK_ROWS: usize = 192;
const TASK_COLUMNS: usize = 256;
/// Tiles are multiples of it, but for the last: a multiple of what the product's kernel does at
/// once.
const STEP: usize = 16;

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

    /// `y = x W^T`, or `y += x W^T`, then `epilogue` on each row of each tile.
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        let columns = |first: usize| {
            Strided::new(&self.weight[first * self.inputs..], self.inputs).transposed()
        };
        multiply_tiles(x, (self.inputs, self.outputs), columns, y, add, epilogue);
    }

    /// `dx = dy W`, or `dx += dy W`, then `epilogue` on each row of each tile.
    pub(super) fn backward(&self, dy: &[f32], dx: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        let columns = |first: usize| Strided::new(&self.weight[first..], self.inputs);
        multiply_tiles(dy, (self.outputs, self.inputs), columns, dx, add, epilogue);
    }
}

/// `y = x w` tile by tile; `x`: rows x depth, `y`: rows x width, `columns(j)`: `w` from its column
/// `j` on.
fn multiply_tiles<'w>(
    x: &[f32],
    (depth, width): (usize, usize),
    columns: impl Fn(usize) -> Strided<'w> + Sync,
    y: &mut [f32],
    add: bool,
    epilogue: &impl Epilogue,
) {
    let rows = y.len() / width;
    assert_eq!(x.len(), rows * depth, "left-hand side of a product");
    if rows == 0 {
        return;
    }
    let y = Output::new(y, width);
    let (height, breadth) = (even(rows, TASK_ROWS), even(width, TASK_COLUMNS));
    let across = width.div_ceil(breadth);
    let tiles = rows.div_ceil(height) * across;
    for_tasks(tiles, |tile| {
        let (row, column) = (tile / across * height, tile % across * breadth);
        let (m, n) = (height.min(rows - row), breadth.min(width - column));
        let a = Strided::new(&x[row * depth..(row + m) * depth], depth);
        let c = y.tile(row, m, column, n);
        // SAFETY: `a` holds m rows, `columns` has depth rows and n more columns of the weight, the
        // tile lies inside y (asserted by `tile`), and no other task has this tile.
        unsafe { multiply_into((m, n, depth), a, columns(column), 1.0, add, c, width) };
        for r in row..row + m {
            // SAFETY: the tile belongs to this task alone, and its rows are taken in turn.
            epilogue.apply(r, column, unsafe { y.part(r, column, n) });
        }
    });
}

/// Length of tiles of about one size that cover `length`, none over `limit`.
fn even(length: usize, limit: usize) -> usize {
    let tiles = length.div_ceil(limit).max(1);
    length.div_ceil(tiles).next_multiple_of(STEP).min(limit)
}
