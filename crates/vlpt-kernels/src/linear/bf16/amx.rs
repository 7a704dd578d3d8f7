//! On the tile registers of AMX.

use super::{Finish, Product, Task};
use crate::block::Block;
use crate::matrix::TILE;
use crate::tile_registers::TileRegisters;
use crate::vector::Avx512;

/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn run(product: &Product, task: &Task, sums: &mut [Block], finish: &impl Finish) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let registers = unsafe { TileRegisters::new() };
    for column in task.columns.clone() {
        // while this block of columns is used, the next one is brought near, part by part
        let next = if column + 1 < task.columns.end {
            column + 1
        } else {
            column
        };
        let next = product.b(next, 0);
        let part = next.len().div_ceil(task.rows.len());
        for (first, depth) in product.steps() {
            let last = first + depth == product.depth;
            let b = product.b(column, first);
            for (row, sums) in task.rows.clone().zip(sums.iter_mut()) {
                let near = part * (row - task.rows.start) + first * part / product.depth;
                let near = &next[(near / TILE * TILE).min(next.len() - TILE)..];
                registers.multiply(
                    product.a(row, first),
                    product.stride(),
                    b,
                    depth,
                    first > 0,
                    sums,
                    near.as_ptr(),
                );
                if last {
                    product.finish::<Avx512>(row, column, sums, finish);
                }
            }
        }
    }
}
