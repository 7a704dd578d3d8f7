//! Where results of a head go.

use super::super::BlockHead;
use super::super::gradients::Gradients;
use super::super::plan::Place;
use super::super::rows::Rows as Outputs;
use super::arrange::{rounded_rows, store};
use crate::block::{Block, SIDE};
use crate::output::TileOutput;
use crate::tile::{TILE_COLUMNS, TILE_ROWS, halves};
use crate::vector::{Avx512, Vector};

/// Writes 32 columns of the head for 32 queries; `sums` holds a column a row.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) fn put_queries(
    task: &BlockHead,
    (part, tile): (usize, usize),
    sums: &Block,
    to: TileOutput,
) {
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
