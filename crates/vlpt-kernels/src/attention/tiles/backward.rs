//! Gradients of the attention of one head.

use std::ops::Range;

use super::super::BlockHead;
use super::super::gradients::Gradients;
use super::super::plan::{Place, Run};
use super::arrange::{IN_ORDER, columns, pairs, rows, turned};
use super::head::{put_keys, put_queries, tiles};
use super::rows::Rows;
use super::softmax::Softmax;
use super::{KeyBlocks, Numbers, SCRATCH, Scratch, Size, TileInputs, fit, start};
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_COLUMNS, Tiles};
use crate::tile_registers::TileRegisters;

/// # Safety
/// The processor has [`Isa::Amx`](crate::Isa::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(in super::super) unsafe fn backward(
    task: &BlockHead,
    inputs: &TileInputs,
    d_out: Tiles,
    to: &Gradients,
) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| with(task, inputs, d_out, to, &mut registers, scratch));
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn with(
    task: &BlockHead,
    inputs: &TileInputs,
    d_out: Tiles,
    to: &Gradients,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    arrange_queries(task, inputs.q, &mut scratch.q_columns, &mut scratch.q_pairs);
    let (to_columns, to_pairs) = (&mut scratch.d_out_columns, &mut scratch.d_out_pairs);
    arrange_queries(task, d_out, to_columns, to_pairs);
    let of_block = (&task.block.keys, 0..size.block);
    arrange_keys(task, inputs, &of_block, scratch);
    for run in task.runs() {
        let of_run = (&run.keys, size.block..KeyBlocks::of(task, run).count());
        arrange_keys(task, inputs, &of_run, scratch);
        through_softmax(task, run, to, registers, scratch);
        to_keys(task, of_run, parts(run), to, registers, scratch);
    }
    to_keys(task, of_block, 0..size.queries, to, registers, scratch);
}

/// A run's queries, 32 at a time.
fn parts(run: &Run) -> Range<usize> {
    run.queries.start / SIDE..run.queries.end.div_ceil(SIDE)
}

/// Brings keys and values into the forms that products read, in these blocks.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn arrange_keys(
    task: &BlockHead,
    inputs: &TileInputs,
    (keys, blocks): &(&Range<usize>, Range<usize>),
    scratch: &mut Scratch,
) {
    let Size {
        keys: wide, depth, ..
    } = Size::of(task);
    let tiles = wide * depth;
    let (k, v) = (scratch.k.fit(tiles), scratch.v.fit(tiles));
    let k_turned = scratch.turned.fit(tiles);
    let keys = task.attention.plan.keys(keys).chunks(SIDE);
    for (block, keys) in blocks.clone().zip(keys) {
        let [keys, values] = Rows::keys(task, inputs, keys);
        rows(&keys, block, depth, k);
        turned(&keys, (block, wide), depth, k_turned);
        rows(&values, block, depth, v);
    }
}

/// The same for queries, or for gradients of what becomes of them.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn arrange_queries(
    task: &BlockHead,
    from: Tiles,
    to_columns: &mut Numbers,
    to_pairs: &mut Numbers,
) {
    let Size { queries, depth, .. } = Size::of(task);
    let tiles = queries * depth;
    let (to_columns, to_pairs) = (to_columns.fit(tiles), to_pairs.fit(tiles));
    for part in 0..queries {
        let rows = Rows::queries(task, from, part);
        columns(&rows, part, depth, &IN_ORDER, to_columns);
        pairs(&rows, (part, queries), depth, to_pairs);
    }
}

/// Probabilities and gradients of scores of a run, and from these the gradients of its queries.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn through_softmax(
    task: &BlockHead,
    run: &Run,
    to: &Gradients,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    let (blocks, depth) = (KeyBlocks::of(task, run).count(), size.depth);
    let (k, v, k_turned) = (scratch.k.get(), scratch.v.get(), scratch.turned.get());
    let (q_columns, d_out_columns) = (scratch.q_columns.get(), scratch.d_out_columns.get());
    let p = scratch.p.fit(size.keys * size.queries);
    let ds = scratch.ds.fit(size.keys * size.queries);
    let pairs = scratch.pairs.fit(blocks);
    let d = fit(&mut scratch.d, blocks);
    let mut scores = fit(&mut scratch.scores, blocks);
    let mut next = fit(&mut scratch.next, blocks);
    let dq = tiles(&to.dq);
    let parts = parts(run);
    for (block, scores) in scores.iter_mut().enumerate() {
        let (a, b) = (left(k, block, depth), right(q_columns, parts.start, depth));
        start(registers, a, b, depth).store(scores);
    }
    let mut softmax = Softmax::new(task, run, scores);
    for part in parts.clone() {
        let more = part + 1 < parts.end;
        for block in 0..blocks {
            let (a, b) = (left(v, block, depth), right(d_out_columns, part, depth));
            let products = start(registers, a, b, depth);
            softmax.exps(block, &mut scores[block]);
            if let Some(before) = block.checked_sub(1) {
                softmax.count_gradients(before, &scores[before], &d[before]);
            }
            products.store(&mut d[block]);
        }
        softmax.count_gradients(blocks - 1, &scores[blocks - 1], &d[blocks - 1]);
        let inputs = (softmax.scale(), softmax.mean());
        for block in 0..blocks {
            let products = more.then(|| {
                let (a, b) = (left(k, block, depth), right(q_columns, part + 1, depth));
                start(registers, a, b, depth)
            });
            softmax.gradients(
                inputs,
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
        for tile in 0..depth {
            let (a, b) = (left(k_turned, tile, size.keys), right(pairs, 0, blocks));
            let products = start(registers, a, b, blocks);
            if tile == 0 && more {
                softmax = Softmax::new(task, run, next);
            }
            products.store(&mut sums);
            put_queries(task, (part, tile), &sums, dq);
        }
        (scores, next) = (next, scores);
    }
}

/// Gradients of some keys and values, which lie in `blocks` blocks, by parts of the queries.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn to_keys(
    task: &BlockHead,
    (keys, blocks): (&Range<usize>, Range<usize>),
    parts: Range<usize>,
    to: &Gradients,
    registers: &mut TileRegisters,
    scratch: &Scratch,
) {
    let Size { queries, depth, .. } = Size::of(task);
    let dkv = tiles(&to.dkv);
    let places = task.attention.plan.places(keys);
    let [keys, values] = task.columns().map(|first| first / TILE_COLUMNS);
    let works = [
        (scratch.ds.get(), scratch.q_pairs.get(), keys),
        (scratch.p.get(), scratch.d_out_pairs.get(), values),
    ];
    // one block of sums is made while the other is written
    let mut sums = [Block::ZERO, Block::ZERO];
    let mut waiting: Option<(&[Place], usize)> = None;
    let mut number = 0;
    for (a, b, first) in works {
        for (block, places) in blocks.clone().zip(places.chunks(SIDE)) {
            for tile in 0..depth {
                let (a, across) = left(a, block, queries);
                let a = (&a[parts.start * TILE..], across);
                let b = &right(b, tile, queries)[parts.start * 2 * TILE..];
                let products = start(registers, a, b, parts.len());
                if let Some((places, tile)) = waiting {
                    put_keys(places, tile, &sums[(number + 1) % 2], dkv, to);
                }
                products.store(&mut sums[number % 2]);
                waiting = Some((places, first + tile));
                number += 1;
            }
        }
    }
    if let Some((places, tile)) = waiting {
        put_keys(places, tile, &sums[(number + 1) % 2], dkv, to);
    }
}

/// A left-hand side, `across` tiles wide, from a block of rows on.
#[inline(always)]
fn left(a: &[u16], block: usize, across: usize) -> (&[u16], usize) {
    (&a[block * 2 * across * TILE..], across)
}

/// A right-hand side, `deep` tiles deep, from a block of columns on.
#[inline(always)]
fn right(b: &[u16], block: usize, deep: usize) -> &[u16] {
    &b[block * deep * 2 * TILE..]
}
