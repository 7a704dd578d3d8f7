//! Rows of a head, where they are read.

use super::super::BlockHead;
use super::TileInputs;
use crate::block::SIDE;
use crate::tile::{TILE, TILE_COLUMNS, Tiles, offset};

static ZERO: [u16; TILE_COLUMNS] = [0; TILE_COLUMNS];

/// 32 rows of one head, each from the head's first number on; those that are not there are 0.
pub(super) struct Rows<'a>([Option<&'a [u16]>; SIDE]);

impl<'a> Rows<'a> {
    /// Of the queries of a part of the block, or of what has their shape.
    pub(super) fn queries(task: &BlockHead, from: Tiles<'a>, part: usize) -> Self {
        let (across, tile) = (from.across(), task.columns()[0] / TILE_COLUMNS);
        let (first, end) = (part * SIDE, task.block.queries);
        let mut rows = [None; SIDE];
        for (to, query) in rows.iter_mut().zip(first..end) {
            *to = Some(&from.numbers[offset(across, task.block.query + query, tile)..]);
        }
        Self(rows)
    }

    /// Of up to 32 keys, and of their values.
    pub(super) fn keys(task: &BlockHead, inputs: &TileInputs<'a>, keys: &[u32]) -> [Self; 2] {
        let across = inputs.kv.across();
        let [key_tile, value_tile] = task.columns().map(|first| first / TILE_COLUMNS);
        let (mut of_keys, mut of_values) = ([None; SIDE], [None; SIDE]);
        let to = of_keys.iter_mut().zip(&mut of_values);
        for (&key, (of_key, of_value)) in keys.iter().zip(to) {
            let (numbers, row) = match (key as usize).checked_sub(inputs.common.rows) {
                None => (inputs.common.numbers, key as usize),
                Some(own) => (inputs.kv.numbers, own),
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
