//! Softmax attention of one head.

use super::super::Task;
use super::arrange::{columns, rows, turned};
use super::head::{Keys, Queries, put_queries};
use super::softmax::Softmax;
use super::{Given, SCRATCH, Scratch, Size, fit, start};
use crate::block::Block;
use crate::output::TileOutput;
use crate::tile_registers::TileRegisters;

/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(in super::super) unsafe fn forward(task: &Task, given: &Given, out: TileOutput) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| with(task, given, out, &mut registers, scratch));
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn with(
    task: &Task,
    given: &Given,
    out: TileOutput,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    let Scratch {
        k,
        turned: v_turned,
        q_columns,
        pairs,
        scores,
        next,
        ..
    } = scratch;
    let [keys, values] = Keys::both(task, given);
    let k = k.fit(size.keys * size.depth);
    rows(&keys, size.keys, size.depth, k);
    let v_turned = v_turned.fit(size.keys * size.depth);
    turned(&values, size.keys, size.depth, v_turned);
    let q_columns = q_columns.fit(size.queries * size.depth);
    columns(
        &Queries::new(task, given.q),
        size.queries,
        size.depth,
        q_columns,
    );
    let pairs = pairs.fit(size.keys);
    let (mut scores, mut next) = (fit(scores, size.keys), fit(next, size.keys));
    for (block, scores) in scores.iter_mut().enumerate() {
        start(registers, (k, block), (q_columns, 0), size.depth).store(scores);
    }
    let mut softmax = Softmax::new(task, scores);
    for part in 0..size.queries {
        let more = part + 1 < size.queries;
        for (block, scores) in scores.iter().enumerate() {
            let products =
                more.then(|| start(registers, (k, block), (q_columns, part + 1), size.depth));
            softmax.powers_to_pairs(block, scores, pairs);
            if let Some(products) = products {
                products.store(&mut next[block]);
            }
        }
        let scale = softmax.scale();
        let mut sums = Block::ZERO;
        for tile in 0..size.depth {
            let products = start(registers, (v_turned, tile), (pairs, 0), size.keys);
            if tile == 0 && more {
                softmax = Softmax::new(task, next);
            }
            products.store(&mut sums);
            for row in sums.rows_mut() {
                scale.apply(row);
            }
            put_queries(task, (part, tile), &mut sums, out);
        }
        (scores, next) = (next, scores);
    }
}
