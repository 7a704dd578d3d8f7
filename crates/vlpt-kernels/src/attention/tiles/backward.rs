//! Gradients of the attention of one head.

use super::super::{Gradients, Task};
use super::arrange::{IN_ORDER, columns, pairs, rows, turned};
use super::head::{Rows, put_keys, put_queries, tiles};
use super::row::Row;
use super::softmax::Softmax;
use super::{Given, SCRATCH, Scratch, Size, fit, start};
use crate::block::Block;
use crate::tile::{TILE_COLUMNS, Tiles};
use crate::tile_registers::TileRegisters;

/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(in super::super) unsafe fn backward(task: &Task, given: &Given, d_out: Tiles, to: &Gradients) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| {
        arrange(task, given, d_out, scratch);
        through_softmax(task, to, &mut registers, scratch);
        to_keys(task, to, &mut registers, scratch);
    });
}

/// Brings what is given into the forms that products read.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn arrange(task: &Task, given: &Given, d_out: Tiles, scratch: &mut Scratch) {
    let Size {
        keys: blocks,
        queries,
        depth,
    } = Size::of(task);
    scratch.key_starts.set_keys(task, given);
    scratch.query_starts.set_queries(task);
    let [keys, values] = Rows::keys(task, given, &scratch.key_starts);
    rows(&keys, blocks, depth, scratch.k.fit(blocks * depth));
    rows(&values, blocks, depth, scratch.v.fit(blocks * depth));
    turned(&keys, blocks, depth, scratch.turned.fit(blocks * depth));
    let q = Rows::queries(task, given.q, &scratch.query_starts);
    let d_out = Rows::queries(task, d_out, &scratch.query_starts);
    let tiles = queries * depth;
    columns(&q, queries, depth, &IN_ORDER, scratch.q_columns.fit(tiles));
    pairs(&q, queries, depth, scratch.q_pairs.fit(tiles));
    columns(
        &d_out,
        queries,
        depth,
        &IN_ORDER,
        scratch.d_out_columns.fit(tiles),
    );
    pairs(&d_out, queries, depth, scratch.d_out_pairs.fit(tiles));
}

/// Probabilities, gradients of scores, and from these the gradients of queries.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn through_softmax(
    task: &Task,
    to: &Gradients,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    let (k, v, k_turned) = (scratch.k.get(), scratch.v.get(), scratch.turned.get());
    let (q_columns, d_out_columns) = (scratch.q_columns.get(), scratch.d_out_columns.get());
    let p = scratch.p.fit(size.keys * size.queries);
    let ds = scratch.ds.fit(size.keys * size.queries);
    let pairs = scratch.pairs.fit(size.keys);
    let d = fit(&mut scratch.d, size.keys);
    let mut scores = fit(&mut scratch.scores, size.keys);
    let mut next = fit(&mut scratch.next, size.keys);
    let dq = tiles(&to.dq);
    for (block, scores) in scores.iter_mut().enumerate() {
        start(registers, (k, block), (q_columns, 0), size.depth).store(scores);
    }
    let mut softmax = Softmax::new(task, scores);
    for part in 0..size.queries {
        let more = part + 1 < size.queries;
        for block in 0..size.keys {
            let products = start(registers, (v, block), (d_out_columns, part), size.depth);
            softmax.powers(block, &mut scores[block]);
            if let Some(before) = block.checked_sub(1) {
                softmax.count_gradients(before, &scores[before], &d[before]);
            }
            products.store(&mut d[block]);
        }
        softmax.count_gradients(size.keys - 1, &scores[size.keys - 1], &d[size.keys - 1]);
        let given = (softmax.scale(), softmax.mean());
        for block in 0..size.keys {
            let products =
                more.then(|| start(registers, (k, block), (q_columns, part + 1), size.depth));
            softmax.gradients(
                given,
                block,
                (&scores[block], &d[block]),
                (part, size.queries),
                [&mut *p, &mut *ds],
                pairs,
            );
            if let Some(products) = products {
                products.store(&mut next[block]);
            }
        }
        let mut sums = Block::ZERO;
        for tile in 0..size.depth {
            let products = start(registers, (k_turned, tile), (pairs, 0), size.keys);
            if tile == 0 && more {
                softmax = Softmax::new(task, next);
            }
            products.store(&mut sums);
            put_queries(task, (part, tile), &sums, Row::splat(1.0), dq);
        }
        (scores, next) = (next, scores);
    }
}

/// Gradients of keys and values.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn to_keys(task: &Task, to: &Gradients, registers: &mut TileRegisters, scratch: &Scratch) {
    let size = Size::of(task);
    let dkv = tiles(&to.dkv);
    let [keys, values] = task.columns().map(|first| first / TILE_COLUMNS);
    let (ds, p) = (&scratch.ds, &scratch.p);
    let works = [
        (ds, &scratch.q_pairs, keys),
        (p, &scratch.d_out_pairs, values),
    ];
    // one block of sums is made while the other is written
    let mut sums = [Block::ZERO, Block::ZERO];
    let mut waiting = None;
    let mut number = 0;
    for (a, b, first) in works {
        for block in 0..size.keys {
            for tile in 0..size.depth {
                let products = start(registers, (a.get(), block), (b.get(), tile), size.queries);
                if let Some(place) = waiting {
                    put_keys(task, place, &sums[(number + 1) % 2], dkv, to);
                }
                products.store(&mut sums[number % 2]);
                waiting = Some((block, first + tile));
                number += 1;
            }
        }
    }
    if let Some(place) = waiting {
        put_keys(task, place, &sums[(number + 1) % 2], dkv, to);
    }
}
