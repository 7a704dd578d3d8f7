//! Softmax attention of one head.

use super::super::Task;
use super::arrange::{columns, rows, turned};
use super::head::{Rows, put_queries};
use super::softmax::Largest;
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
        key_starts,
        query_starts,
        k,
        turned: v_turned,
        q_columns,
        pairs,
        pairs_before,
        scores,
        next,
        ..
    } = scratch;
    key_starts.set_keys(task, given);
    query_starts.set_queries(task);
    let [keys, values] = Rows::keys(task, given, key_starts);
    let queries = Rows::queries(task, given.q, query_starts);
    let k = k.fit(size.keys * size.depth);
    rows(&keys, size.keys, size.depth, k);
    let v_turned = v_turned.fit(size.keys * size.depth);
    turned(&values, size.keys, size.depth, v_turned);
    let q_columns = q_columns.fit(size.queries * size.depth);
    columns(&queries, size.queries, size.depth, q_columns);
    let (mut pairs, mut before) = (pairs.fit(size.keys), pairs_before.fit(size.keys));
    let (mut scores, mut next) = (fit(scores, size.keys), fit(next, size.keys));
    let mut largest = Largest::new(task);
    for (block, scores) in scores.iter_mut().enumerate() {
        start(registers, (k, block), (q_columns, 0), size.depth).store(scores);
        largest.see(block, scores);
    }
    let mut softmax = largest.softmax();
    let mut scale = softmax.scale();
    let mut sums = Block::ZERO;
    // three parts are under way: the scores of the next, the powers of this, the sums of the one before
    for part in 0..size.queries {
        for tile in 0..size.depth {
            let products =
                (part > 0).then(|| start(registers, (v_turned, tile), (before, 0), size.keys));
            for half in tile * size.keys / size.depth..(tile + 1) * size.keys / size.depth {
                softmax.powers_to_pairs(half, &scores[half / 2], pairs);
            }
            if let Some(products) = products {
                products.store(&mut sums);
                put_queries(task, (part - 1, tile), &sums, scale, out);
            }
        }
        let more = part + 1 < size.queries;
        largest = Largest::new(task);
        for block in 0..size.keys {
            let products =
                more.then(|| start(registers, (k, block), (q_columns, part + 1), size.depth));
            let half = size.keys + block;
            softmax.powers_to_pairs(half, &scores[half / 2], pairs);
            if let Some(products) = products {
                if let Some(before) = block.checked_sub(1) {
                    largest.see(before, &next[before]);
                }
                products.store(&mut next[block]);
            }
        }
        scale = softmax.scale();
        if more {
            largest.see(size.keys - 1, &next[size.keys - 1]);
            softmax = largest.softmax();
        }
        (scores, next) = (next, scores);
        (pairs, before) = (before, pairs);
    }
    for tile in 0..size.depth {
        start(registers, (v_turned, tile), (before, 0), size.keys).store(&mut sums);
        put_queries(task, (size.queries - 1, tile), &sums, scale, out);
    }
}
