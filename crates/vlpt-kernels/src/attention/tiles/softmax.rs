//! Softmax of 32 queries down the columns of blocks of scores, and its backward.

use super::super::Task;
use super::arrange::round_by_turns;
use crate::block::{Block, SIDE};
use crate::matrix::{TILE, TILE_COLUMNS, TILE_ROWS, halves, offset};
use crate::vector::{Avx512, LANES, Vector};

/// A number for each of 32 queries.
#[derive(Clone, Copy)]
pub(super) struct Row(Avx512, Avx512);

/// Scores of 32 queries, a key a row, on their way through the softmax.
pub(super) struct Columns<'a> {
    keys: usize,
    scale: f32,
    blocks: &'a mut [Block],
    largest: Row,
    sums: Row,
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

/// Writes the rows of two keys that follow each other as a pair of a right-hand side's rows.
#[inline(always)]
fn round_pair_of_keys(even: Row, odd: Row, key: usize, to: &mut [u16]) {
    let place = key / SIDE * 2 * TILE + key % SIDE / 2 * TILE_COLUMNS;
    // SAFETY: vectors of this kind are there only where the processor has these instructions.
    unsafe {
        round_by_turns(even.0.register(), odd.0.register(), &mut to[place..]);
        round_by_turns(even.1.register(), odd.1.register(), &mut to[place + TILE..]);
    }
}

impl<'a> Columns<'a> {
    /// Scales the products of the 32 queries from `32 part` on of the task's block, leaves out the
    /// keys that they do not see, and finds the largest score of each.
    #[inline(always)]
    pub(super) fn new(task: &Task, part: usize, blocks: &'a mut [Block]) -> Self {
        debug_assert!(task.block.queries > part * SIDE);
        let (keys, scale) = (task.keys().len(), task.attention.scale());
        let mask = task.attention.plan.mask(task.block);
        let mut largest = Row::splat(f32::NEG_INFINITY);
        let factor = Row::splat(scale);
        for key in 0..keys {
            let row = &mut blocks[key / SIDE].rows_mut()[key % SIDE];
            let term = match mask {
                Some(mask) => Row::load(&mask[key]),
                None => Row::splat(0.0),
            };
            let score = Row::load(row).mul_add(factor, term);
            score.store(row);
            largest = largest.max(score);
        }
        Self {
            keys,
            scale,
            blocks,
            largest,
            sums: Row::splat(0.0),
        }
    }

    #[inline(always)]
    fn row(&self, key: usize) -> Row {
        Row::load(&self.blocks[key / SIDE].rows()[key % SIDE])
    }

    /// `exp(score - largest)` of a key, counted in the sums.
    #[inline(always)]
    fn power(&mut self, key: usize) -> Row {
        if key >= self.keys {
            return Row::splat(0.0);
        }
        let below = self.row(key).sub(self.largest);
        let power = Row(below.0.exp(), below.1.exp());
        self.sums = self.sums.add(power);
        power
    }

    /// Puts powers in the place of scores.
    #[inline(always)]
    pub(super) fn powers(&mut self) {
        for key in 0..self.keys {
            let power = self.power(key);
            power.store(&mut self.blocks[key / SIDE].rows_mut()[key % SIDE]);
        }
    }

    /// Writes the powers as a right-hand side, keys x queries.
    #[inline(always)]
    pub(super) fn powers_to_pairs(&mut self, to: &mut [u16]) {
        for key in (0..self.keys.next_multiple_of(SIDE)).step_by(2) {
            let (even, odd) = (self.power(key), self.power(key + 1));
            round_pair_of_keys(even, odd, key, to);
        }
    }

    /// What makes probabilities of powers.
    #[inline(always)]
    pub(super) fn scale(&self) -> Row {
        Row(self.sums.0.reciprocal(), self.sums.1.reciprocal())
    }

    /// Makes probabilities of the powers and writes them into tile `part` of a left-hand side,
    /// keys x all queries; returns the mean gradient of each query's probabilities `d`.
    #[inline(always)]
    pub(super) fn probabilities(
        &mut self,
        d: &[Block],
        part: usize,
        to: &mut [u16],
        across: usize,
    ) -> Row {
        let (scale, mut means) = (self.scale(), Row::splat(0.0));
        for key in 0..self.keys {
            let p = self.row(key).mul(scale);
            p.store(&mut self.blocks[key / SIDE].rows_mut()[key % SIDE]);
            p.round(&mut to[offset(across, key, part)..]);
            means = p.mul_add(Row::load(&d[key / SIDE].rows()[key % SIDE]), means);
        }
        means
    }

    #[inline(always)]
    fn gradient(&self, d: &[Block], means: Row, key: usize) -> Row {
        if key >= self.keys {
            return Row::splat(0.0);
        }
        let d = Row::load(&d[key / SIDE].rows()[key % SIDE]).sub(means);
        self.row(key).mul(d).mul(Row::splat(self.scale))
    }

    /// Writes the gradients of the unscaled products, `p (d - mean) * scale`, as a left-hand side
    /// as [`Columns::probabilities`] does, and as a right-hand side.
    #[inline(always)]
    pub(super) fn gradients(
        &self,
        d: &[Block],
        means: Row,
        part: usize,
        (rows, across): (&mut [u16], usize),
        pairs: &mut [u16],
    ) {
        for key in (0..self.keys.next_multiple_of(SIDE)).step_by(2) {
            let even = self.gradient(d, means, key);
            let odd = self.gradient(d, means, key + 1);
            even.round(&mut rows[offset(across, key, part)..]);
            odd.round(&mut rows[offset(across, key + 1, part)..]);
            round_pair_of_keys(even, odd, key, pairs);
        }
    }
}

const _: () = assert!(SIDE == 2 * TILE_ROWS);
