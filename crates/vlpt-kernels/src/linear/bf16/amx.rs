//! On the tile registers of AMX.

use super::{Epilogue, Product, Step, Task};
use crate::block::{Block, EIGHT, SIDE};
use crate::tile::TILE;
use crate::tile_registers::{Factors, NEAR, TileRegisters};
use crate::vector::Avx512;

/// Most tiles of depth of a block of columns that stay in the first cache, beside the sums; others
/// pass it by, or they would push these out.
const STAYING: usize = 20;

/// Parts of a block, in rows that are finished at once and in depth.
const PARTS: usize = SIDE / EIGHT;

/// While the tile registers are busy with a part of one block's depth, the vector registers finish
/// a part of the block before.
///
/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn run(
    product: &Product,
    task: &Task,
    sums: &mut [Block],
    epilogue: &impl Epilogue,
) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    let mut waiting: Option<Step> = None;
    product.for_steps(task, |step| {
        let near = near(product, task, &step);
        let (a, b) = (
            product.a(step.row, step.first),
            product.b(step.column, step.first),
        );
        let start = (step.first > 0).then_some(&sums[step.sums]);
        let mut block = registers.sums(start);
        let size = step.depth.div_ceil(PARTS);
        for part in 0..PARTS {
            let first = part * size;
            if first < step.depth {
                let depth = size.min(step.depth - first);
                let factors = Factors {
                    a: &a[first * TILE..],
                    stride: product.stride(),
                    b: &b[first * 2 * TILE..],
                    depth,
                };
                let near = near.wrapping_add(first * NEAR);
                if first + depth <= STAYING {
                    block.add_long::<false>(factors, near);
                } else {
                    block.add_long::<true>(factors, near);
                }
            }
            if step.last {
                let row = step.row * SIDE + part * EIGHT;
                epilogue.prepare(row, product.count(row), step.column * SIDE);
            }
            if let Some(done) = &waiting {
                product.finish_part::<Avx512>(done, part, &sums[done.sums], epilogue);
            }
        }
        block.store(&mut sums[step.sums]);
        waiting = step.last.then_some(step);
    });
    if let Some(done) = &waiting {
        product.finish::<Avx512>(done, &sums[done.sums], epilogue);
    }
}

/// What is to be brought near during a step: its share of the weights of the next step's columns.
fn near(product: &Product, task: &Task, step: &Step) -> *const u16 {
    let (next, first) = if step.column + 1 < task.columns.end || step.last {
        ((step.column + 1).min(product.columns - 1), step.first)
    } else {
        (task.columns.start, step.first + step.depth)
    };
    let weights = product.b(next, first);
    let share = 2 * step.depth * TILE / task.rows.len();
    let part = (step.row - task.rows.start) * share;
    weights[part.min(weights.len() - 1)..].as_ptr()
}
