//! Attention in the tile registers, for heads whose width is a multiple of 32.
//!
//! All products are made of 32 x 32 blocks. A left-hand side lies in tiles as a
//! [`Matrix`](crate::Matrix) does, a right-hand side as packed weights do; `arrange` turns the rows
//! of a head into the one and the other. Both kinds of registers are kept busy: tiles with what comes
//! next, vectors with what is there. Forward's scores are queries x keys, those of backward keys x
//! queries, 32 queries at a time.

mod arrange;
mod backward;
mod exp;
mod forward;
mod head;
mod products;
mod row;
mod rows;
mod softmax;
mod waiting;

use std::cell::RefCell;
use std::ops::Range;

use super::BlockHead;
use super::plan::Run;
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles};
use crate::tile_registers::{TileAccumulators, TileOperands, TileRegisters};

pub(super) use backward::backward;
pub(super) use forward::forward;

/// What all tasks read.
#[derive(Clone, Copy)]
pub(super) struct TileInputs<'a> {
    pub(super) q: Tiles<'a>,
    pub(super) kv: Tiles<'a>,
    pub(super) common: Tiles<'a>,
}

/// bf16 numbers, kept for the next task.
#[derive(Default)]
struct Numbers(Vec<Line>);

/// A cache line of bf16, since tiles are aligned.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u16; TILE_COLUMNS]);

/// Memory that the tasks of a thread use one after another.
#[derive(Default)]
struct Scratch {
    /// Keys and values, and a transpose of keys, as left-hand sides; of forward both as right-hand
    /// sides.
    k: Numbers,
    v: Numbers,
    turned: Numbers,
    /// Queries and gradients of the output as right-hand sides: their transposes, and they.
    q_columns: Numbers,
    q_pairs: Numbers,
    d_out_columns: Numbers,
    d_out_pairs: Numbers,
    /// Exponentials of scores as left-hand sides (32 queries x keys), of every other 32 queries.
    exps: [Numbers; 2],
    /// Probabilities and gradients of scores as left-hand sides (keys x all queries); gradients of 32
    /// queries as a right-hand side (keys x 32).
    p: Numbers,
    ds: Numbers,
    pairs: Numbers,
    /// Blocks of scores: of forward those that wait; of backward one for every 32 keys, of 32 queries,
    /// and of the next 32.
    scores: Vec<Block>,
    next: Vec<Block>,
    /// Gradients of probabilities in such blocks.
    d: Vec<Block>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Sizes of a task, in tiles of 32.
#[derive(Clone, Copy)]
struct Size {
    /// Keys for all runs, and these with those of the run that has most.
    block: usize,
    keys: usize,
    queries: usize,
    depth: usize,
}

/// The keys that a run sees, in blocks of 32: those for all runs begin with one, and its own too.
#[derive(Clone, Copy)]
struct KeyBlocks {
    block: usize,
    run: usize,
}

impl Size {
    fn of(task: &BlockHead) -> Self {
        let runs = task.runs().iter();
        let block = task.block.keys.len().div_ceil(SIDE);
        Self {
            block,
            keys: runs.fold(block, |most, run| {
                most.max(KeyBlocks::of(task, run).count())
            }),
            queries: task.block.queries.div_ceil(SIDE),
            depth: task.attention.size() / SIDE,
        }
    }
}

impl KeyBlocks {
    fn of(task: &BlockHead, run: &Run) -> Self {
        Self {
            block: task.block.keys.len(),
            run: run.keys.len(),
        }
    }

    /// How many there are.
    fn count(self) -> usize {
        self.block.div_ceil(SIDE) + self.run.div_ceil(SIDE)
    }

    /// The keys of a block, counted through all that the run sees.
    #[inline(always)]
    fn keys(self, block: usize) -> Range<usize> {
        let before = self.block.div_ceil(SIDE);
        let (first, end) = match block.checked_sub(before) {
            None => (block * SIDE, self.block),
            Some(own) => (self.block + own * SIDE, self.block + self.run),
        };
        first..end.min(first + SIDE)
    }
}

impl Numbers {
    /// `tiles` pairs of tiles; their values are anything.
    fn fit(&mut self, tiles: usize) -> &mut [u16] {
        self.0
            .resize(tiles * 2 * TILE_ROWS, Line([0; TILE_COLUMNS]));
        // SAFETY: a line is 32 numbers without gaps.
        unsafe {
            std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), self.0.len() * TILE_COLUMNS)
        }
    }

    fn get(&self) -> &[u16] {
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * TILE_COLUMNS) }
    }
}

/// `count` blocks; their values are anything.
fn fit(blocks: &mut Vec<Block>, count: usize) -> &mut [Block] {
    blocks.resize(blocks.len().max(count), Block::ZERO);
    &mut blocks[..count]
}

/// Starts a block of products, `depth` tiles deep: `a` is the tile of a left-hand side, which is
/// `across` tiles wide, from which they begin, `b` that of a right-hand side.
#[inline(always)]
fn start<'r>(
    registers: &'r mut TileRegisters,
    (a, across): (&[u16], usize),
    b: &[u16],
    depth: usize,
) -> TileAccumulators<'r> {
    let mut sums = registers.sums();
    sums.add::<false>(TileOperands::new(a, across * TILE, b, depth));
    sums
}
