//! Attention in the tile registers, for heads whose width is a multiple of 32.
//!
//! All products are made of 32 x 32 blocks. A left-hand side lies in tiles as a
//! [`Matrix`](crate::Matrix) does, a right-hand side as packed weights do; `arrange` turns the rows
//! of a head into the one and the other. Both kinds of registers are kept busy: tiles with what comes
//! next, vectors with what is there. Forward's scores are queries x keys, those of backward keys x
//! queries, 32 queries at a time.

mod arrange;
mod backward;
mod forward;
mod head;
mod powers;
mod products;
mod row;
mod softmax;
mod waiting;

use std::cell::RefCell;

use super::Task;
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles};
use crate::tile_registers::{Factors, Sums, TileRegisters};

pub(super) use backward::backward;
pub(super) use forward::forward;
use head::Starts;

/// What all tasks read.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
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
    /// Where the rows of keys and values start, and those of queries.
    key_starts: Starts,
    query_starts: Starts,
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
    /// Powers of scores as left-hand sides (32 queries x keys), of every other 32 queries.
    powers: [Numbers; 2],
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
    keys: usize,
    queries: usize,
    depth: usize,
}

impl Size {
    fn of(task: &Task) -> Self {
        Self {
            keys: task.keys().len().div_ceil(SIDE),
            queries: task.block.queries.div_ceil(SIDE),
            depth: task.attention.size() / SIDE,
        }
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

/// Starts block `row`, `column` of `a b`, both `depth` tiles deep.
#[inline(always)]
fn start<'r>(
    registers: &'r mut TileRegisters,
    (a, row): (&[u16], usize),
    (b, column): (&[u16], usize),
    depth: usize,
) -> Sums<'r> {
    let mut sums = registers.sums();
    sums.add::<false>(Factors::new(
        &a[row * 2 * depth * TILE..],
        depth * TILE,
        &b[column * depth * 2 * TILE..],
        depth,
    ));
    sums
}
