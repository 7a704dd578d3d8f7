//! bf16 products, sums in f32.

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod amx;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(super) mod epilogue;
mod pack;
mod portable;

use std::cell::RefCell;
use std::sync::OnceLock;

use crate::Level;
use crate::arena::Buffer;
use crate::block::{Block, SIDE};
use crate::threads::for_tasks;
use crate::tile::{TILE, TILE_COLUMNS, Tiles};
use crate::vector::Vector;

/// How a product is cut. Slices change no bit: each goes on from the sums of the one before. The
/// numbers were measured (see docs/concepts/roofline.md).
struct Cut {
    /// Most tiles of depth that are summed at once.
    slice: usize,
    /// Most blocks of rows, and of columns, of one task.
    rows: usize,
    columns: usize,
    /// Tasks for each thread, where there is enough to do.
    tasks: usize,
}

/// Where one slice does it: its weights of a block of columns about fill the first cache, and the
/// rows of a task stay in the second.
const SHALLOW: Cut = Cut {
    slice: 24,
    rows: 13,
    columns: 8,
    tasks: 4,
};
/// Where several are needed: sums come and go, so the weights leave them room in the first cache,
/// and the sums of a task are in the second beside its rows. Its rows, which are long, are read for as
/// many columns as that leaves room for.
const DEEP: Cut = Cut {
    slice: 14,
    rows: 13,
    columns: 12,
    tasks: 1,
};

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

/// `N` rows of a block of sums.
pub(super) type Rows<const N: usize> = [[f32; SIDE]; N];

/// What becomes of sums, some rows of 32 columns at a time.
pub(super) trait Epilogue: Sync {
    /// Whether it takes so long that it is best done a few rows at a time while tiles are multiplied.
    const LONG: bool = false;

    /// Takes the sums from a row and a column on that are multiples of `N` and 32. Only the first
    /// `count` rows are rows of the product; columns past the width get sums of zeros.
    fn rows<V: Vector, const N: usize>(
        &self,
        row: usize,
        count: usize,
        column: usize,
        sums: &Rows<N>,
    );

    /// Brings near what will be read, and what is far apart and will be written, for such rows.
    #[cfg_attr(
        not(all(target_arch = "x86_64", target_os = "linux")),
        allow(dead_code)
    )]
    #[inline(always)]
    fn prepare(&self, _row: usize, _count: usize, _column: usize) {}
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
    /// Whether the sums are whole afterwards.
    last: bool,
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

    /// `x W^T`, each row of 32 sums given to `epilogue`.
    pub(super) fn forward(&self, x: Tiles, epilogue: &impl Epilogue) {
        self.multiply(x, &self.forward, (self.inputs, self.outputs), epilogue);
    }

    /// `dy W`, each row of 32 sums given to `epilogue`.
    pub(super) fn backward(&self, dy: Tiles, epilogue: &impl Epilogue) {
        let packed = self
            .backward
            .get_or_init(|| pack::backward(&self.forward, self.inputs, self.outputs));
        self.multiply(dy, packed, (self.outputs, self.inputs), epilogue);
    }

    fn multiply(
        &self,
        x: Tiles,
        packed: &[u16],
        (depth, width): (usize, usize),
        epilogue: &impl Epilogue,
    ) {
        assert_eq!(x.width, depth, "left-hand side of a product");
        let product = Product {
            x,
            packed,
            depth: depth.div_ceil(TILE_COLUMNS),
            columns: width.div_ceil(SIDE),
        };
        let rows = x.rows.div_ceil(SIDE);
        let cut = product.cut();
        let threads = rayon::current_num_threads();
        let mut down = rows.div_ceil(cut.rows);
        let wanted = (cut.tasks * threads).div_ceil(down.max(1));
        let breadth = cut.columns.min(product.columns / wanted).max(1);
        let across = product.columns.div_ceil(breadth);
        if down > 1 || across == 1 {
            // as many rows for each thread
            down = down.next_multiple_of(threads).min(rows);
        }
        // sums that need no second slice take turns in two blocks
        let blocks = if product.is_shallow() {
            2
        } else {
            cut.rows * breadth
        };
        // a thread goes from column to column, as long as it can, with the same rows
        for_tasks(down * across, |task| {
            let task = Task {
                rows: share(rows, task / across, down),
                columns: share(product.columns, task % across, across),
            };
            SUMS.with_borrow_mut(|sums| {
                sums.resize(sums.len().max(blocks), Block::ZERO);
                match self.level {
                    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
                    // SAFETY: the level was found on this processor when the layer was made.
                    Level::Amx => unsafe { amx::run(&product, &task, sums, epilogue) },
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: as above.
                    Level::Avx512Bf16 => unsafe {
                        avx512::run(&product, &task, sums, epilogue);
                    },
                    _ => portable::run(&product, &task, sums, epilogue),
                }
            });
        });
    }
}

/// One of `count` parts of `length`, which differ by 1 at most.
fn share(length: usize, index: usize, count: usize) -> std::ops::Range<usize> {
    index * length / count..(index + 1) * length / count
}

/// The size of parts that cover `length`, all of about one size and none over `limit`.
fn even(length: usize, limit: usize) -> usize {
    length.div_ceil(length.div_ceil(limit).max(1)).max(1)
}

impl Product<'_> {
    /// Whether it is summed in one slice.
    fn is_shallow(&self) -> bool {
        self.depth <= SHALLOW.slice
    }

    fn cut(&self) -> &'static Cut {
        if self.is_shallow() { &SHALLOW } else { &DEEP }
    }

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

    /// Does a task step by step: slice by slice of depth, block by block of columns, block by block
    /// of rows.
    #[inline(always)]
    fn for_steps(&self, task: &Task, mut work: impl FnMut(Step)) {
        let slice = even(self.depth, self.cut().slice);
        let mut number = 0;
        for first in (0..self.depth).step_by(slice) {
            let depth = slice.min(self.depth - first);
            for column in task.columns.clone() {
                for row in task.rows.clone() {
                    let across = column - task.columns.start;
                    let sums = if self.is_shallow() {
                        number % 2
                    } else {
                        across * task.rows.len() + row - task.rows.start
                    };
                    number += 1;
                    work(Step {
                        row,
                        column,
                        first,
                        depth,
                        last: first + depth == self.depth,
                        sums,
                    });
                }
            }
        }
    }

    /// How many of the `most` rows from a row on are rows of the product.
    fn count(&self, row: usize, most: usize) -> usize {
        self.x.rows.saturating_sub(row).min(most)
    }

    /// Finishes a block of sums.
    #[inline(always)]
    fn finish<V: Vector>(&self, step: &Step, sums: &Block, epilogue: &impl Epilogue) {
        const ROWS: usize = 8;
        for part in 0..SIDE / ROWS {
            self.finish_part::<V, ROWS>(step, part, sums, epilogue);
        }
    }

    /// Finishes `N` rows of a block of sums.
    #[inline(always)]
    fn finish_part<V: Vector, const N: usize>(
        &self,
        step: &Step,
        part: usize,
        sums: &Block,
        epilogue: &impl Epilogue,
    ) {
        let row = step.row * SIDE + part * N;
        epilogue.rows::<V, N>(
            row,
            self.count(row, N),
            step.column * SIDE,
            &sums.parts()[part],
        );
    }
}
