//! Softmax of 32 queries down the columns of blocks of scores, and its backward, 32 keys at a time.

use super::super::Task;
use super::arrange::round_by_turns;
use crate::block::{Block, SIDE};
use crate::matrix::{TILE, TILE_COLUMNS, TILE_ROWS, halves, offset};
use crate::vector::{Avx512, LANES, Vector};

/// A number for each of 32 queries.
#[derive(Clone, Copy)]
pub(super) struct Row(Avx512, Avx512);

/// What the softmax of 32 queries needs; its powers are of 2.
pub(super) struct Softmax<'a> {
    keys: usize,
    /// `1 / sqrt(head width)`, and that times the logarithm which makes powers of e powers of 2.
    scale: f32,
    factor: Row,
    mask: Option<&'a [[f32; SIDE]]>,
    /// The largest exponents, below zero.
    below: Row,
    sums: Row,
    /// Sums of powers times the gradients of probabilities.
    products: Row,
}

impl Row {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self(Avx512::splat(x), Avx512::splat(x))
    }

    #[inline(always)]
    fn load(row: &[f32; SIDE]) -> Self {
        let (low, high) = halves(row);
        Self(Avx512::load(low), Avx512::load(high))
    }

    #[inline(always)]
    fn store(self, row: &mut [f32; SIDE]) {
        let (low, high) = row.split_at_mut(LANES);
        self.0.store(low.as_mut_array().expect("half of them"));
        self.1.store(high.as_mut_array().expect("half of them"));
    }

    // no closures here: one would not be compiled for the vectors of its caller

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0), self.1.sub(other.1))
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0), self.1.mul(other.1))
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1.max(other.1))
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(
            self.0.mul_add(factor.0, term.0),
            self.1.mul_add(factor.1, term.1),
        )
    }

    #[inline(always)]
    fn power_of_2(self) -> Self {
        Self(self.0.power_of_2(), self.1.power_of_2())
    }

    #[inline(always)]
    fn reciprocal(self) -> Self {
        Self(self.0.reciprocal(), self.1.reciprocal())
    }

    /// Multiplies a row of a block.
    #[inline(always)]
    pub(super) fn apply(self, row: &mut [f32; SIDE]) {
        self.mul(Self::load(row)).store(row);
    }

    /// Writes the numbers to a row of tiles.
    #[inline(always)]
    fn round(self, to: &mut [u16]) {
        Avx512::round_pair(
            self.0,
            self.1,
            to.first_chunk_mut().expect("a row of a tile"),
        );
    }
}

/// Writes the rows of two keys that follow each other as pair `pair` of a right-hand side's block.
#[inline(always)]
fn round_pair_of_keys(even: Row, odd: Row, pair: usize, to: &mut [u16]) {
    let place = pair * TILE_COLUMNS;
    // SAFETY: vectors of this kind are there only where the processor has these instructions.
    unsafe {
        round_by_turns(even.0.register(), odd.0.register(), &mut to[place..]);
        round_by_turns(even.1.register(), odd.1.register(), &mut to[place + TILE..]);
    }
}

impl<'a> Softmax<'a> {
    /// Finds the largest exponent of each of 32 queries; `scores`: products of all keys with them.
    #[inline(always)]
    pub(super) fn new(task: &Task<'a>, scores: &[Block]) -> Self {
        let (keys, scale) = (task.keys().len(), task.attention.scale());
        let factor = Row::splat(scale * std::f32::consts::LOG2_E);
        let mask = task.attention.plan.mask(task.block);
        let mut largest = Row::splat(f32::NEG_INFINITY);
        for (block, scores) in scores[..keys.div_ceil(SIDE)].iter().enumerate() {
            let count = SIDE.min(keys - block * SIDE);
            match mask {
                None => {
                    for row in &scores.rows()[..count] {
                        largest = largest.max(Row::load(row));
                    }
                }
                Some(mask) => {
                    for (row, mask) in scores.rows()[..count].iter().zip(&mask[block * SIDE..]) {
                        let exponent = Row::load(row).mul_add(factor, Row::load(mask));
                        largest = largest.max(exponent);
                    }
                }
            }
        }
        if mask.is_none() {
            largest = largest.mul(factor);
        }
        Self {
            keys,
            scale,
            factor,
            mask,
            below: Row::splat(0.0).sub(largest),
            sums: Row::splat(0.0),
            products: Row::splat(0.0),
        }
    }

    /// Keys of a block.
    #[inline(always)]
    fn count(&self, block: usize) -> usize {
        SIDE.min(self.keys - block * SIDE)
    }

    /// `2^(exponent - largest)` of a key whose products are given.
    #[inline(always)]
    fn power(&self, key: usize, row: &[f32; SIDE]) -> Row {
        let term = match self.mask {
            None => self.below,
            Some(mask) => Row::load(&mask[key]).add(self.below),
        };
        Row::load(row).mul_add(self.factor, term).power_of_2()
    }

    /// Writes the powers of a block's keys as a block of a right-hand side, keys x queries.
    #[inline(always)]
    pub(super) fn powers_to_pairs(&mut self, block: usize, scores: &Block, to: &mut [u16]) {
        let (first, count) = (block * SIDE, self.count(block));
        let to = &mut to[2 * block * TILE..][..2 * TILE];
        let rows = scores.rows();
        for pair in 0..SIDE / 2 {
            let mut both = [Row::splat(0.0); 2];
            for (i, power) in both.iter_mut().enumerate() {
                let key = 2 * pair + i;
                if key < count {
                    *power = self.power(first + key, &rows[key]);
                    self.sums = self.sums.add(*power);
                }
            }
            round_pair_of_keys(both[0], both[1], pair, to);
        }
    }

    /// Puts the powers of a block's keys in the place of their products.
    #[inline(always)]
    pub(super) fn powers(&mut self, block: usize, scores: &mut Block) {
        let (first, count) = (block * SIDE, self.count(block));
        for (key, row) in scores.rows_mut()[..count].iter_mut().enumerate() {
            let power = self.power(first + key, row);
            self.sums = self.sums.add(power);
            power.store(row);
        }
    }

    /// Takes the gradients `d` of a block's probabilities into account, after its powers.
    #[inline(always)]
    pub(super) fn count_gradients(&mut self, block: usize, powers: &Block, d: &Block) {
        let count = self.count(block);
        for (power, d) in powers.rows()[..count].iter().zip(d.rows()) {
            self.products = Row::load(power).mul_add(Row::load(d), self.products);
        }
    }

    /// What makes probabilities of powers.
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
        (powers, d): (&Block, &Block),
        (part, across): (usize, usize),
        [p_rows, rows]: [&mut [u16]; 2],
        pairs: &mut [u16],
    ) {
        let (first, count) = (block * SIDE, self.count(block));
        let pairs = &mut pairs[2 * block * TILE..][..2 * TILE];
        let last = Row::splat(self.scale);
        for pair in 0..SIDE / 2 {
            let mut both = [Row::splat(0.0); 2];
            for (i, gradient) in both.iter_mut().enumerate() {
                let key = 2 * pair + i;
                let place = offset(across, first + key, part);
                if key < count {
                    let p = Row::load(&powers.rows()[key]).mul(scale);
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
