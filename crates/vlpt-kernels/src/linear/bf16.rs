//! bf16 products, sums in f32.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod pack;
mod portable;

use std::cell::RefCell;
use std::sync::OnceLock;

use rayon::prelude::*;

use crate::Level;
use crate::arena::Buffer;
use crate::block::{Block, SIDE};
use crate::matrix::{TILE, TILE_COLUMNS, Tiles};
use crate::vector::Vector;

/// Most blocks of rows, and of columns, of one task; measured (see docs/concepts/roofline.md).
const TASK_BLOCKS: usize = 8;
/// Most tiles of depth that all blocks of a task are summed over before the next ones: what is read
/// of the left-hand side meanwhile stays in the second cache.
const SLICE: usize = 24;
/// Most tiles of depth that are summed before the next block of rows: what is read of the weights
/// meanwhile stays in the first cache. Slices and steps change no bit: each goes on from the sums
/// of the one before.
const STEP: usize = 8;

thread_local! {
    /// Sums of the blocks of a task.
    static SUMS: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// Frozen weights rounded to bf16 and packed: for every 32 columns of the right-hand side and every
/// 32 rows of it, two tiles of 16 columns; a row of a tile holds the pairs of two rows.
#[derive(Debug)]
pub(super) struct PackedBf16 {
    level: Level,
    inputs: usize,
    outputs: usize,
    /// Right-hand side of the forward product: inputs x outputs.
    forward: Buffer<u16>,
    /// That of the backward product, outputs x inputs, made when it is first asked for.
    backward: OnceLock<Buffer<u16>>,
}

/// What becomes of the sums of a block, from a row and a column on that are multiples of 32. Only
/// the first `count` rows are rows of the product; columns past the width get sums of zeros.
pub(super) trait Finish: Sync {
    fn block<V: Vector>(&self, row: usize, count: usize, column: usize, sums: &Block);

    /// Brings near what will be written for a block.
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_os = "linux")),
        allow(dead_code)
    )]
    fn prepare(&self, row: usize, count: usize, column: usize);
}

/// The shape of a product in tiles, and what it reads.
struct Product<'a> {
    x: Tiles<'a>,
    packed: &'a [u16],
    /// Tiles of depth, and blocks of columns.
    depth: usize,
    columns: usize,
}

/// Adding some depth to one block of sums.
struct Step {
    row: usize,
    column: usize,
    /// First tile of depth, and number of tiles.
    first: usize,
    depth: usize,
    /// Whether the sums are whole afterwards, and whether they will be after the next step.
    last: bool,
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_os = "linux")),
        allow(dead_code)
    )]
    last_but_one: bool,
    /// Number of the block of sums.
    sums: usize,
}

/// Blocks of rows and of columns that one thread makes.
struct Task {
    rows: std::ops::Range<usize>,
    columns: std::ops::Range<usize>,
}

impl PackedBf16 {
    pub(super) fn new(inputs: usize, outputs: usize, weight: &[f32]) -> Self {
        Self {
            level: Level::current(),
            inputs,
            outputs,
            forward: pack::forward(weight, inputs, outputs),
            backward: OnceLock::new(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let backward = self.backward.get().map_or(0, |packed| packed.len());
        (self.forward.len() + backward) * size_of::<u16>()
    }

    /// `x W^T`, each row of 32 sums given to `finish`.
    pub(super) fn forward(&self, x: Tiles, finish: &impl Finish) {
        self.multiply(x, &self.forward, (self.inputs, self.outputs), finish);
    }

    /// `dy W`, each row of 32 sums given to `finish`.
    pub(super) fn backward(&self, dy: Tiles, finish: &impl Finish) {
        let packed = self
            .backward
            .get_or_init(|| pack::backward(&self.forward, self.inputs, self.outputs));
        self.multiply(dy, packed, (self.outputs, self.inputs), finish);
    }

    fn multiply(
        &self,
        x: Tiles,
        packed: &[u16],
        (depth, width): (usize, usize),
        finish: &impl Finish,
    ) {
        assert_eq!(x.width, depth, "left-hand side of a product");
        let product = Product {
            x,
            packed,
            depth: depth.div_ceil(TILE_COLUMNS),
            columns: width.div_ceil(SIDE),
        };
        let rows = x.rows.div_ceil(SIDE);
        let (height, breadth) = (even(rows, TASK_BLOCKS), even(product.columns, TASK_BLOCKS));
        let across = product.columns.div_ceil(breadth);
        let down = rows.div_ceil(height);
        (0..down * across)
            .into_par_iter()
            .with_max_len(1)
            .for_each(|task| {
                let (row, column) = (task % down * height, task / down * breadth);
                let task = Task {
                    rows: row..rows.min(row + height),
                    columns: column..product.columns.min(column + breadth),
                };
                SUMS.with_borrow_mut(|sums| {
                    sums.resize(TASK_BLOCKS * TASK_BLOCKS, Block::ZERO);
                    match self.level {
                        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                        // SAFETY: the level was found on this processor when the layer was made.
                        Level::Amx => unsafe { amx::run(&product, &task, sums, finish) },
                        #[cfg(target_arch = "x86_64")]
                        // SAFETY: as above.
                        Level::Avx512Bf16 => unsafe { avx512::run(&product, &task, sums, finish) },
                        _ => portable::run(&product, &task, sums, finish),
                    }
                });
            });
    }
}

/// The size of parts that cover `length`, all of about one size and none over `limit`.
fn even(length: usize, limit: usize) -> usize {
    length.div_ceil(length.div_ceil(limit).max(1)).max(1)
}

impl Product<'_> {
    /// The rows of tiles of a block of rows, from a tile of depth on.
    fn a(&self, block: usize, depth: usize) -> &[u16] {
        &self.x.numbers
            [(block * 2 * self.depth + depth) * TILE..(block + 1) * 2 * self.depth * TILE]
    }

    /// Distance of the two rows of tiles of a block.
    fn stride(&self) -> usize {
        self.depth * TILE
    }

    /// The tiles of a block of columns, from a tile of depth on.
    fn b(&self, block: usize, depth: usize) -> &[u16] {
        &self.packed[(block * self.depth + depth) * 2 * TILE..(block + 1) * self.depth * 2 * TILE]
    }

    /// Does a task step by step: slice by slice of depth, block by block of columns, step by step
    /// of the slice, block by block of rows.
    #[inline(always)]
    fn for_steps(&self, task: &Task, mut work: impl FnMut(Step)) {
        let slice = even(self.depth, SLICE);
        for start in (0..self.depth).step_by(slice) {
            let end = self.depth.min(start + slice);
            let size = even(end - start, STEP);
            for column in task.columns.clone() {
                for first in (start..end).step_by(size) {
                    let depth = size.min(end - first);
                    for row in task.rows.clone() {
                        work(Step {
                            row,
                            column,
                            first,
                            depth,
                            last: first + depth == self.depth,
                            last_but_one: first + depth + size >= self.depth,
                            sums: (column - task.columns.start) * TASK_BLOCKS + row
                                - task.rows.start,
                        });
                    }
                }
            }
        }
    }

    /// Rows of the product in a block of rows.
    fn count(&self, row: usize) -> usize {
        SIDE.min(self.x.rows - row * SIDE)
    }
}
