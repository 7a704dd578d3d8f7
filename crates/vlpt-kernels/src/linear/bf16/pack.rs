//! Weights into the order in which products read them.

use rayon::prelude::*;

use crate::arena::{Arena, Buffer};
use crate::block::SIDE;
use crate::matrix::{TILE, TILE_COLUMNS, TILE_ROWS};
use crate::vector::round_to_bf16;

/// Where the number in row `k` and column `n` of a right-hand side stands in its packed form,
/// which is `depth` tiles deep.
fn place(depth: usize, k: usize, n: usize) -> usize {
    let tile = (n / SIDE * depth + k / SIDE) * 2 + n % SIDE / TILE_ROWS;
    tile * TILE + k % SIDE / 2 * TILE_COLUMNS + n % TILE_ROWS * 2 + k % 2
}

/// Packs `right(k, n)`, rows x columns, past which it is 0.
fn pack(rows: usize, columns: usize, right: impl Fn(usize, usize) -> u16 + Sync) -> Buffer<u16> {
    let depth = rows.div_ceil(SIDE);
    let mut packed = Arena::default().take::<u16>(columns.div_ceil(SIDE) * depth * 2 * TILE);
    packed
        .par_chunks_mut(depth * 2 * TILE)
        .enumerate()
        .for_each(|(block, packed)| {
            for k in 0..depth * SIDE {
                for n in 0..SIDE {
                    let column = block * SIDE + n;
                    packed[place(depth, k, n)] = if k < rows && column < columns {
                        right(k, column)
                    } else {
                        0
                    };
                }
            }
        });
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
