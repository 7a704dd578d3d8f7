//! Attention in the tile registers, for heads whose width is a multiple of 32.
//!
//! All products are made of 32 x 32 blocks. A left-hand side lies in tiles as a
//! [`Matrix`](crate::Matrix) does, a right-hand side as packed weights do; `arrange` turns the one
//! into the other. Scores and what becomes of them are keys x queries, 32 queries at a time.

mod arrange;
mod softmax;

use std::cell::RefCell;

use super::plan::Place;
use super::{Gradients, Rows, Task};
use crate::block::{Block, SIDE};
use crate::matrix::{TILE, TILE_COLUMNS, TILE_ROWS, Tiles, halves, offset};
use crate::output::TileOutput;
use crate::tile_registers::TileRegisters;
use crate::vector::{Avx512, Vector};
use arrange::{columns, pairs, transpose_block, turned};
use softmax::Columns;

/// What all tasks read.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) q: Tiles<'a>,
    pub(super) kv: Tiles<'a>,
    pub(super) common: Tiles<'a>,
}

/// Numbers of a matrix, kept for the next task.
type Numbers = Vec<Line>;

/// A cache line of bf16, since tiles are aligned.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u16; TILE_COLUMNS]);

/// Memory that the tasks of a thread use one after another. Of the names, `a` means a left-hand
/// side and `b` a right-hand side of a product.
#[derive(Default)]
struct Scratch {
    /// Queries, gradient of the output, keys, values: rows x head width.
    q: Numbers,
    d_out: Numbers,
    k: Numbers,
    v: Numbers,
    /// The same, otherwise arranged.
    q_columns: Numbers,
    q_pairs: Numbers,
    d_out_columns: Numbers,
    d_out_pairs: Numbers,
    turned: Numbers,
    /// Probabilities and gradients of scores, keys x queries: as left-hand sides (of all queries),
    /// and as a right-hand side (of 32 queries).
    p: Numbers,
    ds: Numbers,
    b: Numbers,
    /// Blocks of scores and of their gradients, one for every 32 keys.
    scores: Vec<Block>,
    d_scores: Vec<Block>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Sizes of a task, in tiles of 32.
#[derive(Clone, Copy)]
struct Size {
    keys: usize,
    queries: usize,
    depth: usize,
}

impl Size {
    fn of(task: &Task) -> Self {
        Self {
            keys: task.keys().len().div_ceil(SIDE),
            queries: task.block.queries.div_ceil(SIDE),
            depth: task.attention.size() / SIDE,
        }
    }
}

/// # Safety
/// The processor has [`Level::Amx`](crate::Level::Amx).
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn forward(task: &Task, given: &Given, out: TileOutput) {
    // SAFETY: the caller's promise; nothing below sets registers up again.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| {
        let size = Size::of(task);
        let Scratch {
            q,
            k,
            v,
            q_columns,
            turned: v_turned,
            b,
            scores,
            ..
        } = scratch;
        gather_queries(task, given.q, q);
        gather_keys(task, given, k, v);
        columns(
            numbers(q),
            size.depth,
            fit(q_columns, size.queries * size.depth),
        );
        turned(
            numbers(v),
            size.depth,
            fit(b, size.keys * size.depth),
            fit(v_turned, size.keys * size.depth),
        );
        for part in 0..size.queries {
            products(
                &mut registers,
                numbers(k),
                size.keys,
                numbers(q_columns),
                part,
                size.depth,
                scores,
            );
            let mut softmax = Columns::new(task, part, scores);
            softmax.powers_to_pairs(fit(b, size.keys));
            let scale = softmax.scale();
            let mut sums = Block::ZERO;
            for tile in 0..size.depth {
                multiply(
                    &mut registers,
                    numbers(v_turned),
                    tile,
                    numbers(b),
                    0,
                    size.keys,
                    &mut sums,
                );
                for row in sums.rows_mut() {
                    scale.apply(row);
                }
                put_queries(task, part, tile, &mut sums, out);
            }
        }
    });
}

/// # Safety
/// As [`forward`].
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
pub(super) unsafe fn backward(task: &Task, given: &Given, d_out: Tiles, to: &Gradients) {
    // SAFETY: as in `forward`.
    let mut registers = unsafe { TileRegisters::new() };
    SCRATCH.with_borrow_mut(|scratch| {
        let size = Size::of(task);
        let Scratch {
            q,
            d_out: d_o,
            k,
            v,
            q_columns,
            q_pairs,
            d_out_columns,
            d_out_pairs,
            turned: k_turned,
            p,
            ds,
            b,
            scores,
            d_scores,
        } = scratch;
        gather_queries(task, given.q, q);
        gather_queries(task, d_out, d_o);
        gather_keys(task, given, k, v);
        let tiles = size.queries * size.depth;
        columns(numbers(q), size.depth, fit(q_columns, tiles));
        columns(numbers(d_o), size.depth, fit(d_out_columns, tiles));
        pairs(numbers(q), size.depth, fit(q_pairs, tiles));
        pairs(numbers(d_o), size.depth, fit(d_out_pairs, tiles));
        turned(
            numbers(k),
            size.depth,
            fit(b, size.keys * size.depth),
            fit(k_turned, size.keys * size.depth),
        );
        fit(p, size.keys * size.queries);
        fit(ds, size.keys * size.queries);
        let Rows::Tiles(dq) = to.dq else {
            unreachable!("gradients in the format of what they are of")
        };
        for part in 0..size.queries {
            products(
                &mut registers,
                numbers(k),
                size.keys,
                numbers(q_columns),
                part,
                size.depth,
                scores,
            );
            products(
                &mut registers,
                numbers(v),
                size.keys,
                numbers(d_out_columns),
                part,
                size.depth,
                d_scores,
            );
            let mut softmax = Columns::new(task, part, scores);
            softmax.powers();
            let means = softmax.probabilities(d_scores, part, numbers_mut(p), size.queries);
            let b = fit(b, size.keys);
            softmax.gradients(d_scores, means, part, (numbers_mut(ds), size.queries), b);
            let mut sums = Block::ZERO;
            for tile in 0..size.depth {
                multiply(
                    &mut registers,
                    numbers(k_turned),
                    tile,
                    b,
                    0,
                    size.keys,
                    &mut sums,
                );
                put_queries(task, part, tile, &mut sums, dq);
            }
        }
        let mut sums = Block::ZERO;
        for (a, b, first) in [(&*ds, &*q_pairs, 0), (&*p, &*d_out_pairs, 1)] {
            let first = task.columns()[first] / TILE_COLUMNS;
            for block in 0..size.keys {
                for tile in 0..size.depth {
                    multiply(
                        &mut registers,
                        numbers(a),
                        block,
                        numbers(b),
                        tile,
                        size.queries,
                        &mut sums,
                    );
                    put_keys(task, block, first + tile, &sums, to);
                }
            }
        }
    });
}

/// Blocks of `a b`: all `blocks` of rows, one block of columns.
#[inline(always)]
fn products(
    registers: &mut TileRegisters,
    a: &[u16],
    blocks: usize,
    b: &[u16],
    column: usize,
    depth: usize,
    to: &mut Vec<Block>,
) {
    to.resize(to.len().max(blocks), Block::ZERO);
    for (row, to) in to[..blocks].iter_mut().enumerate() {
        multiply(registers, a, row, b, column, depth, to);
    }
}

/// One block of `a b`, both `depth` tiles deep.
#[inline(always)]
fn multiply(
    registers: &mut TileRegisters,
    a: &[u16],
    row: usize,
    b: &[u16],
    column: usize,
    depth: usize,
    to: &mut Block,
) {
    let (a, b) = (
        &a[row * 2 * depth * TILE..],
        &b[column * depth * 2 * TILE..],
    );
    registers.multiply(a, depth * TILE, b, depth, to);
}

/// The numbers of `tiles` pairs of tiles; their values are anything.
fn fit(numbers: &mut Numbers, tiles: usize) -> &mut [u16] {
    numbers.resize(tiles * 2 * TILE_ROWS, Line([0; TILE_COLUMNS]));
    numbers_mut(numbers)
}

fn numbers(lines: &Numbers) -> &[u16] {
    // SAFETY: a line is 32 numbers without gaps.
    unsafe { std::slice::from_raw_parts(lines.as_ptr().cast(), lines.len() * TILE_COLUMNS) }
}

fn numbers_mut(lines: &mut Numbers) -> &mut [u16] {
    // SAFETY: as in `numbers`.
    unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), lines.len() * TILE_COLUMNS) }
}

/// The head's part of the block's queries, in tiles; rows past the last are 0.
#[inline(always)]
fn gather_queries(task: &Task, from: Tiles, to: &mut Numbers) {
    let (size, first) = (Size::of(task), task.columns()[0] / TILE_COLUMNS);
    let to = fit(to, size.queries * size.depth);
    for row in 0..size.queries * SIDE {
        for tile in 0..size.depth {
            let to = &mut to[offset(size.depth, row, tile)..][..TILE_COLUMNS];
            if row < task.block.queries {
                to.copy_from_slice(from.part(task.block.query + row, first + tile));
            } else {
                to.fill(0);
            }
        }
    }
}

/// The head's keys and values of the block, in tiles; rows past the last are 0.
#[inline(always)]
fn gather_keys(task: &Task, given: &Given, k: &mut Numbers, v: &mut Numbers) {
    let size = Size::of(task);
    let (keys, common) = (task.keys(), task.attention.plan.common());
    for (to, first) in [k, v].into_iter().zip(task.columns()) {
        let (to, first) = (fit(to, size.keys * size.depth), first / TILE_COLUMNS);
        for row in 0..size.keys * SIDE {
            for tile in 0..size.depth {
                let to = &mut to[offset(size.depth, row, tile)..][..TILE_COLUMNS];
                match keys.get(row).map(|key| *key as usize) {
                    Some(key) if key < common => {
                        to.copy_from_slice(given.common.part(key, first + tile));
                    }
                    Some(key) => to.copy_from_slice(given.kv.part(key - common, first + tile)),
                    None => to.fill(0),
                }
            }
        }
    }
}

/// Writes 32 columns of the head for 32 queries; `sums` holds a column a row.
#[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
fn put_queries(task: &Task, part: usize, tile: usize, sums: &mut Block, to: TileOutput) {
    transpose_block(sums);
    let (first, tile) = (part * SIDE, task.columns()[0] / TILE_COLUMNS + tile);
    let count = SIDE.min(task.block.queries - first);
    for (query, row) in sums.rows()[..count].iter().enumerate() {
        let (low, high) = halves(row);
        // SAFETY: no other task has this head of these queries.
        let to = unsafe { to.part(task.block.query + first + query, tile) };
        Avx512::round_pair(Avx512::load(low), Avx512::load(high), to);
    }
}

/// Writes 32 columns of the gradient of 32 keys of the block.
#[inline(always)]
fn put_keys(task: &Task, block: usize, tile: usize, sums: &Block, to: &Gradients) {
    let Rows::Tiles(dkv) = to.dkv else {
        unreachable!("gradients in the format of what they are of")
    };
    let places = &task.attention.plan.places(task.block)[block * SIDE..];
    for (place, row) in places.iter().zip(sums.rows()) {
        match *place {
            Place::Nowhere => {}
            Place::Own(key) => {
                let (low, high) = halves(row);
                // SAFETY: no other block sees this key, and no other task has this head.
                let to = unsafe { dkv.part(key as usize, tile) };
                Avx512::round_pair(Avx512::load(low), Avx512::load(high), to);
            }
            Place::Slot(slot) => {
                // SAFETY: the slot is this block's alone, the columns this head's.
                let to = unsafe {
                    to.parts
                        .part(slot as usize, tile * TILE_COLUMNS, TILE_COLUMNS)
                };
                to.copy_from_slice(row);
            }
        }
    }
}
