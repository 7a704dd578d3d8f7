//! Rows of a head: where they are read, and where results go.

use super::super::Task;
use super::super::gradients::Gradients;
use super::super::plan::Place;
use super::super::rows::Rows as Outputs;
use super::Given;
use super::arrange::{rounded_rows, store};
use crate::block::{Block, SIDE};
use crate::output::TileOutput;
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles, halves, offset};
use crate::vector::{Avx512, Vector};

static ZERO: [u16; TILE_COLUMNS] = [0; TILE_COLUMNS];

/// 32 rows of one head, each from the head's first number on; those that are not there are 0.
pub(super) struct Rows<'a>([Option<&'a [u16]>; SIDE]);

impl<'a> Rows<'a> {
    /// Of the queries of a part of the block, or of what has their shape.
    pub(super) fn queries(task: &Task, from: Tiles<'a>, part: usize) -> Self {
        let (across, tile) = (from.across(), task.columns()[0] / TILE_COLUMNS);
        let (first, end) = (part * SIDE, task.block.queries);
        let mut rows = [None; SIDE];
        for (to, query) in rows.iter_mut().zip(first..end) {
            *to = Some(&from.numbers[offset(across, task.block.query + query, tile)..]);
        }
        Self(rows)
    }

    /// Of up to 32 keys, and of their values.
    pub(super) fn keys(task: &Task, given: &Given<'a>, keys: &[u32]) -> [Self; 2] {
        let across = given.kv.across();
        let [key_tile, value_tile] = task.columns().map(|first| first / TILE_COLUMNS);
        let (mut of_keys, mut of_values) = ([None; SIDE], [None; SIDE]);
        let to = of_keys.iter_mut().zip(&mut of_values);
        for (&key, (of_key, of_value)) in keys.iter().zip(to) {
            let (numbers, row) = match (key as usize).checked_sub(given.common.rows) {
                None => (given.common.numbers, key as usize),
                Some(own) => (given.kv.numbers, own),
            };
            let start = offset(across, row, 0);
            *of_key = Some(&numbers[start + key_tile * TILE..]);
            *of_value = Some(&numbers[start + value_tile * TILE..]);
        }
        [Self(of_keys), Self(of_values)]
    }

    /// 32 columns of a row.
    #[inline(always)]
    pub(super) fn part(&self, row: usize, tile: usize) -> &'a [u16; TILE_COLUMNS] {
        match self.0[row] {
            Some(numbers) => numbers[tile * TILE..]
                .first_chunk()
                .expect("a row of a tile"),
            None => &ZERO,
        }
    }
}

/// Writes 32 columns of the head for 32 queries; `sums` holds a column a row.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_queries(task: &Task, (part, tile): (usize, usize), sums: &Block, to: TileOutput) {
    let (first, tile) = (part * SIDE, task.columns()[0] / TILE_COLUMNS + tile);
    let left = task.block.queries - first;
    for half in [0, TILE_ROWS] {
        let rows = rounded_rows(sums, half);
        for (i, row) in rows.iter().enumerate().take(left.saturating_sub(half)) {
            // SAFETY: no other task has this head of these queries.
            let to = unsafe { to.part(task.block.query + first + half + i, tile) };
            store(*row, to);
        }
    }
}

/// Writes 32 columns of the gradient of up to 32 keys, given where each goes.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_keys(
    places: &[Place],
    tile: usize,
    sums: &Block,
    dkv: TileOutput,
    to: &Gradients,
) {
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
