//! The products of the attention of one head, by parts of 32 queries and blocks of 32 keys.

use std::ops::Range;

use super::super::BlockHead;
use super::super::plan::Run;
use super::exp::QUERIES;
use crate::block::SIDE;
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles};
use crate::tile_registers::TileOperands;

/// The queries of a run, in parts of 32 rows from the tile of the first one on. Rows of the first
/// and the last part may be those of others.
#[derive(Clone, Copy)]
pub(super) struct Queries {
    start: usize,
    end: usize,
}

/// What the products read.
pub(super) struct Products<'a> {
    pub(super) queries: Queries,
    /// The queries, where they lie.
    pub(super) q: Tiles<'a>,
    /// Keys and values as right-hand sides.
    pub(super) keys: &'a [u16],
    pub(super) values: &'a [u16],
    /// Blocks of keys, and of the keys that values have room for.
    pub(super) blocks: usize,
    pub(super) deep: usize,
    /// Tiles of a head.
    pub(super) depth: usize,
    /// The head's first tile.
    pub(super) tile: usize,
}

impl Queries {
    pub(super) fn of(task: &BlockHead, run: &Run) -> Self {
        Self {
            start: task.block.query + run.queries.start,
            end: task.block.query + run.queries.end,
        }
    }

    pub(super) fn parts(&self) -> usize {
        (self.end - self.first(0)).div_ceil(SIDE)
    }

    /// The first row of a part.
    #[inline(always)]
    pub(super) fn first(&self, part: usize) -> usize {
        self.start / TILE_ROWS * TILE_ROWS + part * SIDE
    }

    /// The run's rows of a part; none past the last part.
    #[inline(always)]
    pub(super) fn rows(&self, part: usize) -> Range<usize> {
        let first = self.first(part);
        self.start.saturating_sub(first)..self.end.saturating_sub(first).min(SIDE)
    }

    /// The same in steps of [`QUERIES`] rows.
    #[inline(always)]
    pub(super) fn steps(&self, part: usize) -> Range<usize> {
        let rows = self.rows(part);
        rows.start / QUERIES..rows.end.div_ceil(QUERIES)
    }
}

impl<'a> Products<'a> {
    /// What makes the scores of a part and a block.
    #[inline(always)]
    pub(super) fn scores(&self, part: usize, block: usize) -> TileOperands<'a> {
        let across = self.q.across() * TILE;
        let row = self.queries.first(part) / TILE_ROWS * across;
        let a = &self.q.numbers[row + self.tile * TILE..];
        // past the last tiles of the matrix nobody asks: any rows will do
        let there = a.len() >= across + self.depth * TILE;
        let b = &self.keys[block * self.depth * 2 * TILE..];
        TileOperands::new(a, if there { across } else { 0 }, b, self.depth)
    }

    /// What makes 32 columns of the result of a part, given its exponentials.
    #[inline(always)]
    pub(super) fn result<'p>(&'p self, exps: &'p [u16], tile: usize) -> TileOperands<'p> {
        let b = &self.values[tile * self.deep * 2 * TILE..];
        TileOperands::new(exps, self.blocks * TILE, b, self.blocks)
    }

    /// The blocks whose scores are made before 32 columns of the result of the part before.
    #[inline(always)]
    pub(super) fn blocks_before(&self, tile: usize) -> Range<usize> {
        let first = |tile: usize| (tile * self.blocks).div_ceil(self.depth);
        first(tile)..first(tile + 1)
    }
}

const _: () = assert!(SIDE == 2 * TILE_ROWS && SIDE == TILE_COLUMNS);
