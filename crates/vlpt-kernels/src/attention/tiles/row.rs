//! Numbers of 32 queries at once.

use super::arrange::{by_turns, store};
use crate::block::SIDE;
use crate::tile::{TILE, TILE_COLUMNS, halves};
use crate::vector::{Avx512, LANES, Vector};

/// A number for each of 32 queries.
#[derive(Clone, Copy)]
pub(super) struct Row(Avx512, Avx512);

impl Row {
    #[inline(always)]
    pub(super) fn splat(x: f32) -> Self {
        Self(Avx512::splat(x), Avx512::splat(x))
    }

    #[inline(always)]
    pub(super) fn load(row: &[f32; SIDE]) -> Self {
        let (low, high) = halves(row);
        Self(Avx512::load(low), Avx512::load(high))
    }

    #[inline(always)]
    pub(super) fn store(self, row: &mut [f32; SIDE]) {
        let (low, high) = row.split_at_mut(LANES);
        self.0.store(low.as_mut_array().expect("half of them"));
        self.1.store(high.as_mut_array().expect("half of them"));
    }

    // no closures here: one would not be compiled for the vectors of its caller

    #[inline(always)]
    pub(super) fn add(self, other: Self) -> Self {
        Self(self.0.add(other.0), self.1.add(other.1))
    }

    #[inline(always)]
    pub(super) fn sub(self, other: Self) -> Self {
        Self(self.0.sub(other.0), self.1.sub(other.1))
    }

    #[inline(always)]
    pub(super) fn mul(self, other: Self) -> Self {
        Self(self.0.mul(other.0), self.1.mul(other.1))
    }

    /// The larger of both numbers where a bit is set, `self` elsewhere.
    #[inline(always)]
    pub(super) fn max_where(self, bits: u32, other: Self) -> Self {
        let [low, high] = [bits as u16, (bits >> LANES) as u16];
        Self(
            self.0.max_where(low, other.0),
            self.1.max_where(high, other.1),
        )
    }

    #[inline(always)]
    pub(super) fn mul_add(self, factor: Self, term: Self) -> Self {
        Self(
            self.0.mul_add(factor.0, term.0),
            self.1.mul_add(factor.1, term.1),
        )
    }

    /// 0 where no bit is set.
    #[inline(always)]
    pub(super) fn power_of_2_where(self, bits: u32) -> Self {
        let [low, high] = [bits as u16, (bits >> LANES) as u16];
        Self(self.0.power_of_2_where(low), self.1.power_of_2_where(high))
    }

    #[inline(always)]
    pub(super) fn reciprocal(self) -> Self {
        Self(self.0.reciprocal(), self.1.reciprocal())
    }

    /// Writes the numbers to a row of tiles.
    #[inline(always)]
    pub(super) fn round(self, to: &mut [u16]) {
        Avx512::round_pair(
            self.0,
            self.1,
            to.first_chunk_mut().expect("a row of a tile"),
        );
    }
}

/// Writes the rows of two keys that follow each other as pair `pair` of a right-hand side's block.
#[inline(always)]
pub(super) fn round_pair_of_keys(even: Row, odd: Row, pair: usize, to: &mut [u16]) {
    let place = pair * TILE_COLUMNS;
    // SAFETY: vectors of this kind are there only where the processor has these instructions.
    unsafe {
        let low = by_turns(even.0.register(), odd.0.register());
        store(low, &mut to[place..]);
        let high = by_turns(even.1.register(), odd.1.register());
        store(high, &mut to[place + TILE..]);
    }
}
