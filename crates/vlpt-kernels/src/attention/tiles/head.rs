//! Rows of a head: where they are read, and where results go.

use super::super::plan::Place;
use super::super::{Gradients, Rows as Outputs, Task};
use super::Given;
use super::arrange::{Rows, transpose_block};
use crate::block::{Block, SIDE};
use crate::matrix::{TILE_COLUMNS, Tiles, halves};
use crate::output::TileOutput;
use crate::vector::{Avx512, Vector};

static ZERO: [u16; TILE_COLUMNS] = [0; TILE_COLUMNS];

/// The head's part of a block's queries, or of what has their shape.
pub(super) struct Queries<'a> {
    from: Tiles<'a>,
    first: usize,
    count: usize,
    tile: usize,
}

impl<'a> Queries<'a> {
    pub(super) fn new(task: &Task, from: Tiles<'a>) -> Self {
        Self {
            from,
            first: task.block.query,
            count: task.block.queries,
            tile: task.columns()[0] / TILE_COLUMNS,
        }
    }
}

impl Rows for Queries<'_> {
    #[inline(always)]
    fn part(&self, row: usize, tile: usize) -> &[u16; TILE_COLUMNS] {
        if row < self.count {
            self.from.part(self.first + row, self.tile + tile)
        } else {
            &ZERO
        }
    }
}

/// The head's keys, or values, of a block.
pub(super) struct Keys<'a> {
    places: &'a [u32],
    common: Tiles<'a>,
    own: Tiles<'a>,
    tile: usize,
}

impl<'a> Keys<'a> {
    /// Keys and values.
    pub(super) fn both(task: &'a Task, given: &Given<'a>) -> [Self; 2] {
        let new = |first: usize| Self {
            places: task.keys(),
            common: given.common,
            own: given.kv,
            tile: first / TILE_COLUMNS,
        };
        task.columns().map(new)
    }
}

impl Rows for Keys<'_> {
    #[inline(always)]
    fn part(&self, row: usize, tile: usize) -> &[u16; TILE_COLUMNS] {
        let Some(&key) = self.places.get(row) else {
            return &ZERO;
        };
        let (key, tile) = (key as usize, self.tile + tile);
        match key.checked_sub(self.common.rows) {
            None => self.common.part(key, tile),
            Some(own) => self.own.part(own, tile),
        }
    }
}

/// Writes 32 columns of the head for 32 queries; `sums` holds a column a row.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_queries(
    task: &Task,
    (part, tile): (usize, usize),
    sums: &mut Block,
    to: TileOutput,
) {
    transpose_block(sums);
    let (first, tile) = (part * SIDE, task.columns()[0] / TILE_COLUMNS + tile);
    let count = SIDE.min(task.block.queries - first);
    for (query, row) in sums.rows()[..count].iter().enumerate() {
        let (low, high) = halves(row);
        // SAFETY: no other task has this head of these queries.
        let to = unsafe { to.part(task.block.query + first + query, tile) };
        Avx512::round_pair(Avx512::load(low), Avx512::load(high), to);
    }
}

/// Writes 32 columns of the gradient of 32 keys of the block.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_keys(
    task: &Task,
    (block, tile): (usize, usize),
    sums: &Block,
    dkv: TileOutput,
    to: &Gradients,
) {
    let places = &task.attention.plan.places(task.block)[block * SIDE..];
    for (place, row) in places.iter().zip(sums.rows()) {
        match *place {
            Place::Nowhere => {}
            Place::Own(key) => {
                let (low, high) = halves(row);
                // SAFETY: no other block sees this key, and no other task has this head.
                let to = unsafe { dkv.part(key as usize, tile) };
                Avx512::round_pair(Avx512::load(low), Avx512::load(high), to);
            }
            Place::Slot(slot) => {
                // SAFETY: the slot is this block's alone, the columns this head's.
                let to = unsafe {
                    to.parts
                        .part(slot as usize, tile * TILE_COLUMNS, TILE_COLUMNS)
                };
                to.copy_from_slice(row);
            }
        }
    }
}

/// Where the gradients of queries, or of keys, go.
pub(super) fn tiles<'a>(to: &Outputs<'a>) -> TileOutput<'a> {
    match to {
        Outputs::Tiles(to) => *to,
        Outputs::Floats(_) => unreachable!("gradients in the format of what they are of"),
    }
}
