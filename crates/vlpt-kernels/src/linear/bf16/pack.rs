//! Weights into the order in which products read them.

use crate::arena::{Arena, Buffer};
use crate::block::SIDE;
use crate::tile::{TILE, TILE_COLUMNS, TILE_ROWS};
use crate::vector::round_to_bf16;

/// Where the number in row `k` and column `n` of a right-hand side stands in its packed form,
/// which is `depth` tiles deep.
fn place(depth: usize, k: usize, n: usize) -> usize {
    let tile = (n / SIDE * depth + k / SIDE) * 2 + n % SIDE / TILE_ROWS;
    tile * TILE + k % SIDE / 2 * TILE_COLUMNS + n % TILE_ROWS * 2 + k % 2
}

/// Packs `right(k, n)`, rows x columns, past which it is 0. On this thread alone: packing may happen
/// while others wait for it, who must not be given a part of it.
fn pack(rows: usize, columns: usize, right: impl Fn(usize, usize) -> u16) -> Buffer<u16> {
    let depth = rows.div_ceil(SIDE);
    let mut packed = Arena::default().take::<u16>(columns.div_ceil(SIDE) * depth * 2 * TILE);
    for (tile, to) in packed.as_chunks_mut::<TILE>().0.iter_mut().enumerate() {
        let (first_row, first_column) = (
            tile / 2 % depth * SIDE,
            tile / 2 / depth * SIDE + tile % 2 * TILE_ROWS,
        );
        for (i, to) in to.iter_mut().enumerate() {
            let k = first_row + i / TILE_COLUMNS * 2 + i % 2;
            let n = first_column + i % TILE_COLUMNS / 2;
            *to = if k < rows && n < columns {
                right(k, n)
            } else {
                0
            };
        }
    }
    packed
}

/// `weight`: outputs x inputs; its transpose is the right-hand side of the forward product.
pub(super) fn forward(weight: &[f32], inputs: usize, outputs: usize) -> Buffer<u16> {
    pack(inputs, outputs, |k, n| {
        round_to_bf16(weight[n * inputs + k])
    })
}

/// The right-hand side of the backward product from that of the forward product.
pub(super) fn backward(forward: &[u16], inputs: usize, outputs: usize) -> Buffer<u16> {
    let depth = inputs.div_ceil(SIDE);
    pack(outputs, inputs, |k, n| forward[place(depth, n, k)])
}
