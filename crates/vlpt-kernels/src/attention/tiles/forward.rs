//! Softmax attention of one head.
//!
//! Scores are queries x keys, and exponentials of them are left-hand sides as they are made: sums of 32
//! queries go along their rows. While the tile registers make the scores of one part of 32 queries
//! and the result of the one before, the vector registers make exponentials of the scores that wait. Those
//! of a query start below its largest score among the first keys: they may be too large then, which
//! their sum shows. What becomes of a query depends on its own scores alone.

use std::ops::Range;

use super::super::BlockHead;
use super::super::plan::Run;
use super::arrange::{columns, pairs};
use super::exp::{Exponents, KEYS, PARTS, Softmax};
use super::products::{Products, Queries};
use super::rows::Rows;
use super::waiting::{BLOCKS, Waiting};
use super::{KeyBlocks, SCRATCH, Scratch, Size, TileInputs, fit};
use crate::block::{Block, SIDE};
use crate::output::TileOutput;
use crate::tile::{TILE_COLUMNS, halves};
use crate::tile_registers::{TileAccumulators, TileRegisters};
use crate::vector::{Avx512, Vector};

/// Sums of exponentials between which nothing was lost.
const SAFE: Range<f32> = 1.0 / (1u64 << 60) as f32..(1u64 << 60) as f32;

/// # Safety
/// The processor has [`Isa::Amx`](crate::Isa::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
pub(in super::super) unsafe fn forward(task: &BlockHead, inputs: &TileInputs, out: TileOutput) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| with(task, inputs, out, &mut registers, scratch));
}

/// 32 columns of a part's result, and the sums of exponentials by which they are to be divided.
struct OutputColumns {
    part: usize,
    tile: usize,
    sums: [f32; SIDE],
}

#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
fn with(
    task: &BlockHead,
    inputs: &TileInputs,
    out: TileOutput,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    arrange(task, inputs, (&task.block.keys, 0), scratch);
    for run in task.runs() {
        arrange(task, inputs, (&run.keys, size.block), scratch);
        of_run(task, run, inputs, out, registers, scratch);
    }
}

/// Brings keys and values into the forms that products read, from block `first` on.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
fn arrange(
    task: &BlockHead,
    inputs: &TileInputs,
    (keys, first): (&Range<usize>, usize),
    scratch: &mut Scratch,
) {
    let size = Size::of(task);
    let tiles = size.keys * size.depth;
    let (k, v) = (scratch.k.fit(tiles), scratch.v.fit(tiles));
    for (block, keys) in (first..).zip(task.attention.plan.keys(keys).chunks(SIDE)) {
        let [keys, values] = Rows::keys(task, inputs, keys);
        columns(&keys, block, size.depth, &KEYS, k);
        pairs(&values, (block, size.keys), size.depth, v);
    }
}

/// The results of a run.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
fn of_run(
    task: &BlockHead,
    run: &Run,
    inputs: &TileInputs,
    out: TileOutput,
    registers: &mut TileRegisters,
    scratch: &mut Scratch,
) {
    let Scratch {
        k,
        v,
        exps: [even, odd],
        scores,
        ..
    } = scratch;
    let size = Size::of(task);
    let (blocks, depth) = (KeyBlocks::of(task, run).count(), size.depth);
    let queries = Queries::of(task, run);
    let products = Products {
        queries,
        q: inputs.q,
        keys: k.get(),
        values: v.get(),
        blocks,
        deep: size.keys,
        depth,
        tile: task.columns()[0] / TILE_COLUMNS,
    };
    let mut exps = [even.fit(blocks), odd.fit(blocks)];
    let scores = fit(scores, BLOCKS).as_mut_array().expect("so many");
    let mut waiting = Waiting::new(Exponents::new(task, run), blocks, queries, scores);
    let mut result = Block::ZERO;
    let mut made: Option<OutputColumns> = None;
    let mut sums = registers.sums();
    for part in 0..=queries.parts() {
        let mut total = [0.0; SIDE];
        for tile in 0..depth {
            if part < queries.parts() {
                for block in products.blocks_before(tile) {
                    let mut factors = products.scores(part, block);
                    for _ in 0..depth {
                        sums.add::<true>(factors.take(1));
                        if let Some(made) = made.take() {
                            put(&products, &made, &result, out);
                        }
                        waiting.step(exps[waiting.part() % 2]);
                    }
                    while !waiting.has_room() {
                        waiting.finish_block(exps[waiting.part() % 2]);
                    }
                    sums.turn(None, waiting.come());
                }
            }
            let Some(part) = part.checked_sub(1) else {
                continue;
            };
            let [even, odd] = &mut exps;
            let (ready, next) = if part % 2 == 0 {
                (even, odd)
            } else {
                (odd, even)
            };
            if tile == 0 {
                total = waiting.finish_part(part, ready);
                let is_safe = |query: usize| SAFE.contains(&total[query]);
                if !queries.rows(part).all(is_safe) {
                    let of = waiting.exponents();
                    total = exactly(of, &products, (part, &total), &mut sums, ready);
                }
            }
            let mut factors = products.result(ready, tile);
            for _ in 0..blocks {
                sums.add::<true>(factors.take(1));
                if let Some(made) = made.take() {
                    put(&products, &made, &result, out);
                }
                waiting.step(next);
            }
            sums.turn(None, &mut result);
            made = Some(OutputColumns {
                part,
                tile,
                sums: total,
            });
        }
    }
    if let Some(made) = &made {
        put(&products, made, &result, out);
    }
}

/// Writes a result.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn put(products: &Products, made: &OutputColumns, result: &Block, to: TileOutput) {
    let first = products.queries.first(made.part);
    for query in products.queries.rows(made.part) {
        let scale = Avx512::splat(1.0 / made.sums[query]);
        let (low, high) = halves(&result.rows()[query]);
        let (low, high) = (Avx512::load(low).mul(scale), Avx512::load(high).mul(scale));
        // SAFETY: no other task has this head of these queries.
        let to = unsafe { to.part(first + query, products.tile + made.tile) };
        Avx512::round_pair(low, high, to);
    }
}

/// The exponentials of a part again, those of queries whose sums are not safe below their largest score; and
/// their sums.
#[cold]
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
fn exactly(
    of: &Exponents,
    products: &Products,
    (part, total): (usize, &[f32; SIDE]),
    sums: &mut TileAccumulators,
    exps: &mut [u16],
) -> [f32; SIDE] {
    let mut all = vec![Block::ZERO; products.blocks];
    for (block, scores) in all.iter_mut().enumerate() {
        sums.add::<false>(products.scores(part, block));
        sums.turn(None, scores);
    }
    let mut softmax = Softmax::new();
    softmax.begin(of, &all[0]);
    let lost = (0..SIDE).filter(|query| !SAFE.contains(&total[*query]));
    softmax.begin_exactly(of, &all, lost);
    for (block, scores) in all.iter().enumerate() {
        for queries in 0..PARTS {
            softmax.exps(of, (block, products.blocks), queries, scores, exps);
        }
    }
    softmax.sums()
}
