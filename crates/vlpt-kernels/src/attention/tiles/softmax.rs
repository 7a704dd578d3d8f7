//! Softmax of 32 queries down the columns of blocks of scores, and its backward, 32 keys at a time.

use std::ops::Range;

use super::super::BlockHead;
use super::super::plan::Run;
use super::KeyBlocks;
use super::row::{Row, round_pair_of_keys};
use crate::block::{Block, SIDE};
use crate::tile::{TILE, TILE_ROWS, offset};

/// How the scores of 32 queries become exponents of 2.
#[derive(Clone, Copy)]
struct Exponents<'a> {
    keys: KeyBlocks,
    /// `1 / sqrt(head width)`, and that times the logarithm which makes powers of e powers of 2.
    scale: f32,
    factor: Row,
    /// Which of the queries see a key, where not all do.
    seers: Option<&'a [u32]>,
}

/// What the softmax of 32 queries needs; its exponentials are to base 2.
pub(super) struct Softmax<'a> {
    of: Exponents<'a>,
    /// The largest exponents, below zero.
    below: Row,
    sums: Row,
    /// Sums of exponentials times the gradients of probabilities.
    products: Row,
}

impl<'a> Exponents<'a> {
    #[inline(always)]
    fn new(task: &BlockHead<'a>, run: &Run) -> Self {
        let scale = task.attention.scale();
        Self {
            keys: KeyBlocks::of(task, run),
            scale,
            factor: Row::splat(scale * std::f32::consts::LOG2_E),
            seers: task.attention.plan.seers(task.block, run),
        }
    }

    /// The larger of exponents and of those of a block's keys, whose products are given.
    #[inline(always)]
    fn largest(&self, mut row: Row, block: usize, scores: &Block) -> Row {
        let keys = self.keys.keys(block);
        for (key, score) in keys.zip(scores.rows()) {
            let exponent = Row::load(score).mul(self.factor);
            row = row.max_where(self.seers(key), exponent);
        }
        row
    }

    /// Which of the queries see a key, a bit a query.
    #[inline(always)]
    fn seers(&self, key: usize) -> u32 {
        self.seers.map_or(!0, |seers| seers[key])
    }
}

impl<'a> Softmax<'a> {
    /// That of all keys, whose products are given.
    #[inline(always)]
    pub(super) fn new(task: &BlockHead<'a>, run: &Run, scores: &[Block]) -> Self {
        let of = Exponents::new(task, run);
        let mut largest = Row::splat(f32::NEG_INFINITY);
        for (block, scores) in scores.iter().enumerate() {
            largest = of.largest(largest, block, scores);
        }
        Self {
            of,
            below: Row::splat(0.0).sub(largest),
            sums: Row::splat(0.0),
            products: Row::splat(0.0),
        }
    }

    /// The keys of a block.
    #[inline(always)]
    fn keys(&self, block: usize) -> Range<usize> {
        self.of.keys.keys(block)
    }

    /// `2^(exponent - largest)` of a key whose products are given, 0 for queries that do not see it.
    #[inline(always)]
    fn exp(&self, key: usize, row: &[f32; SIDE]) -> Row {
        Row::load(row)
            .mul_add(self.of.factor, self.below)
            .power_of_2_where(self.of.seers(key))
    }

    /// Puts the exponentials of a block's keys in the place of their products.
    #[inline(always)]
    pub(super) fn exps(&mut self, block: usize, scores: &mut Block) {
        let keys = self.keys(block);
        for (key, row) in keys.zip(scores.rows_mut()) {
            let exp = self.exp(key, row);
            self.sums = self.sums.add(exp);
            exp.store(row);
        }
    }

    /// Takes the gradients `d` of a block's probabilities into account, after its exponentials.
    #[inline(always)]
    pub(super) fn count_gradients(&mut self, block: usize, exps: &Block, d: &Block) {
        let count = self.keys(block).len();
        for (exp, d) in exps.rows()[..count].iter().zip(d.rows()) {
            self.products = Row::load(exp).mul_add(Row::load(d), self.products);
        }
    }

    /// What makes probabilities of exponentials.
    #[inline(always)]
    pub(super) fn scale(&self) -> Row {
        self.sums.reciprocal()
    }

    /// The mean gradient of each query's probabilities.
    #[inline(always)]
    pub(super) fn mean(&self) -> Row {
        self.products.mul(self.scale())
    }

    /// Writes the probabilities `p` of a block's keys and the gradients of the products before
    /// their scaling, `p (d - mean) scale`, into tile `part` of left-hand sides (keys x all queries,
    /// `across` tiles wide), and the gradients as a block of a right-hand side.
    #[inline(always)]
    pub(super) fn gradients(
        &self,
        (scale, mean): (Row, Row),
        block: usize,
        (exps, d): (&Block, &Block),
        (part, across): (usize, usize),
        [p_rows, rows]: [&mut [u16]; 2],
        pairs: &mut [u16],
    ) {
        let (first, count) = (block * SIDE, self.keys(block).len());
        let pairs = &mut pairs[2 * block * TILE..][..2 * TILE];
        let last = Row::splat(self.of.scale);
        for pair in 0..SIDE / 2 {
            let mut both = [Row::splat(0.0); 2];
            for (i, gradient) in both.iter_mut().enumerate() {
                let key = 2 * pair + i;
                let place = offset(across, first + key, part);
                if key < count {
                    let p = Row::load(&exps.rows()[key]).mul(scale);
                    p.round(&mut p_rows[place..]);
                    let d = Row::load(&d.rows()[key]).sub(mean);
                    *gradient = p.mul(d).mul(last);
                }
                gradient.round(&mut rows[place..]);
            }
            round_pair_of_keys(both[0], both[1], pair, pairs);
        }
    }
}

const _: () = assert!(SIDE == 2 * TILE_ROWS);
