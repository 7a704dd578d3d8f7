//! Rows of a head: where they are read, and where results go.

use super::super::plan::Place;
use super::super::{Gradients, Rows as Outputs, Task};
use super::Given;
use super::arrange::{rounded_rows, store};
use super::row::Row;
use crate::block::{Block, SIDE};
use crate::output::TileOutput;
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles, halves, offset};
use crate::vector::{Avx512, Vector};

static ZERO: [u16; TILE_COLUMNS] = [0; TILE_COLUMNS];

/// Where rows start: those of a block's queries, or those of the keys that it sees.
///
/// A start counts the numbers of the common keys and then those of the own ones.
#[derive(Default)]
pub(super) struct Starts(Vec<usize>);

impl Starts {
    /// Of the block's queries, and of what has their shape.
    pub(super) fn set_queries(&mut self, task: &Task) {
        let (first, across) = (task.block.query, task.attention.width / TILE_COLUMNS);
        let rows = first..first + task.block.queries;
        self.0.clear();
        self.0.extend(rows.map(|row| offset(across, row, 0)));
    }

    /// Of the block's keys and values.
    pub(super) fn set_keys(&mut self, task: &Task, given: &Given) {
        let (common, across) = (given.common, given.kv.across());
        let start = |&key: &u32| match (key as usize).checked_sub(common.rows) {
            None => offset(across, key as usize, 0),
            Some(own) => common.numbers.len() + offset(across, own, 0),
        };
        self.0.clear();
        self.0.extend(task.keys().iter().map(start));
    }
}

/// The rows of one head; past the last one they are 0.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a> {
    starts: &'a [usize],
    common: &'a [u16],
    own: &'a [u16],
    /// The head's first number in a row.
    first: usize,
}

impl<'a> Rows<'a> {
    /// Of queries, or of what has their shape.
    pub(super) fn queries(task: &Task, from: Tiles<'a>, starts: &'a Starts) -> Self {
        Self {
            starts: &starts.0,
            common: &[],
            own: from.numbers,
            first: task.columns()[0] / TILE_COLUMNS * TILE,
        }
    }

    /// Of keys, and of values.
    pub(super) fn keys(task: &Task, given: &Given<'a>, starts: &'a Starts) -> [Self; 2] {
        task.columns().map(|column| Self {
            starts: &starts.0,
            common: given.common.numbers,
            own: given.kv.numbers,
            first: column / TILE_COLUMNS * TILE,
        })
    }

    /// 32 columns of a row.
    #[inline(always)]
    pub(super) fn part(&self, row: usize, tile: usize) -> &'a [u16; TILE_COLUMNS] {
        let Some(start) = self.starts.get(row) else {
            return &ZERO;
        };
        let place = start + self.first + tile * TILE;
        let numbers = match place.checked_sub(self.common.len()) {
            None => &self.common[place..],
            Some(place) => &self.own[place..],
        };
        numbers.first_chunk().expect("a row of a tile")
    }
}

/// Writes 32 columns of the head for 32 queries; `sums` holds a column a row, and `scale` is what
/// each query is multiplied by.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_queries(
    task: &Task,
    (part, tile): (usize, usize),
    sums: &Block,
    scale: Row,
    to: TileOutput,
) {
    let (first, tile) = (part * SIDE, task.columns()[0] / TILE_COLUMNS + tile);
    let left = task.block.queries - first;
    for (half, scale) in [0, TILE_ROWS].into_iter().zip([scale.low(), scale.high()]) {
        let rows = rounded_rows(sums, half, scale);
        for (i, row) in rows.iter().enumerate().take(left.saturating_sub(half)) {
            // SAFETY: no other task has this head of these queries.
            let to = unsafe { to.part(task.block.query + first + half + i, tile) };
            store(*row, to);
        }
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
