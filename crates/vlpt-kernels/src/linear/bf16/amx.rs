//! On the tile registers of AMX.

use super::Epilogue;
use super::product::{Product, Step, TaskBlocks};
use crate::block::{Block, SIDE};
use crate::tile::TILE;
use crate::tile_registers::{PREFETCHED, TileOperands, TileRegisters};
use crate::vector::Avx512;

/// Most tiles of depth of a block of columns that stay in the first cache, beside the sums; others
/// pass it by, or they would push these out.
const STAYING: usize = 20;

/// # Safety
/// The processor has [`Isa::Amx`](crate::Isa::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn run<E: Epilogue>(
    product: &Product,
    task: &TaskBlocks,
    sums: &mut [Block],
    epilogue: &E,
) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    // the more there is to do for a row, the better in small portions; each takes its time to begin
    if E::LONG {
        with::<E, 2>(product, task, sums, epilogue, &mut registers);
    } else {
        with::<E, 8>(product, task, sums, epilogue, &mut registers);
    }
}

/// While the tile registers are busy with a part of one block's depth, the vector registers finish
/// `N` rows of the block before.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn with<E: Epilogue, const N: usize>(
    product: &Product,
    task: &TaskBlocks,
    sums: &mut [Block],
    epilogue: &E,
    registers: &mut TileRegisters,
) {
    let mut block = registers.sums();
    let mut before: Option<Step> = None;
    product.for_steps(task, |step| {
        // a task of one block goes on with its sums
        if let Some(before) = &before
            && let Ok([to, from]) = sums.get_disjoint_mut([before.sums, step.sums])
        {
            block.turn((!step.begins).then_some(from), to);
        }
        let done = before.take().filter(|before| before.next.is_none());
        let ahead = ahead(product, task, &step);
        let (slice, last) = (step.slice, step.next.is_none());
        let (a, b) = (slice.a(step.row), slice.b(step.column));
        let mut factors = TileOperands::new(a, slice.stride(), b, slice.depth);
        // nothing to do meanwhile: in one go
        let parts = if last || done.is_some() { SIDE / N } else { 1 };
        for part in 0..parts {
            let first = part * slice.depth / parts;
            let depth = (part + 1) * slice.depth / parts - first;
            if depth > 0 {
                let factors = factors.take(depth);
                let ahead = ahead.wrapping_add(first * PREFETCHED);
                if first + depth <= STAYING {
                    block.add_long::<false>(factors, ahead);
                } else {
                    block.add_long::<true>(factors, ahead);
                }
            }
            if last {
                let row = step.row * SIDE + part * N;
                epilogue.prepare(row, product.count(row, N), step.column * SIDE);
            }
            if let Some(done) = &done {
                product.finish_part::<Avx512, N>(done, part, &sums[done.sums], epilogue);
            }
        }
        before = Some(step);
    });
    if let Some(done) = &before {
        block.store(&mut sums[done.sums]);
        product.finish::<Avx512>(done, &sums[done.sums], epilogue);
    }
}

/// What is prefetched during a step: its share of the weights of the next step's columns.
fn ahead(product: &Product, task: &TaskBlocks, step: &Step) -> *const u16 {
    let (slice, column) = match step.next {
        Some(next) if step.column + 1 == task.columns.end => (next, task.columns.start),
        _ => (step.slice, (step.column + 1).min(product.columns - 1)),
    };
    let weights = slice.b(column);
    let share = 2 * step.slice.depth * TILE / task.rows.len();
    let part = (step.row - task.rows.start) * share;
    weights[part.min(weights.len() - 1)..].as_ptr()
}
