//! On the tile registers of AMX.

use super::{Finish, Product, Task};
use crate::block::{Block, SIDE};
use crate::matrix::TILE;
use crate::tile_registers::TileRegisters;
use crate::vector::Avx512;

/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn run(product: &Product, task: &Task, sums: &mut [Block], finish: &impl Finish) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let registers = unsafe { TileRegisters::new() };
    let rows = task.rows.len();
    product.for_steps(task, |step| {
        let (row, column, sums) = (step.row, step.column, &mut sums[step.sums]);
        // while these columns' weights are used, the next columns' are brought near, part by part
        let next = if column + 1 < task.columns.end {
            column + 1
        } else {
            column
        };
        let next = product.b(next, step.first);
        let part = (row - task.rows.start) * step.depth.div_ceil(rows) * 2 * TILE;
        let near = &next[part.min(next.len() - TILE)..];
        registers.multiply(
            product.a(row, step.first),
            product.stride(),
            product.b(column, step.first),
            step.depth,
            step.first > 0,
            sums,
            near.as_ptr(),
        );
        if step.last {
            finish.block::<Avx512>(row * SIDE, product.count(row), column * SIDE, sums);
        } else if step.last_but_one {
            finish.prepare(row * SIDE, product.count(row), column * SIDE);
        }
    });
}
