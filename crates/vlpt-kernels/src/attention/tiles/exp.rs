//! Exponentials of scores, as left-hand sides of the product with values.

use std::arch::x86_64::{
    __m512, _mm512_add_ps, _mm512_and_si512, _mm512_castsi512_ps, _mm512_cvtps_epi32,
    _mm512_loadu_si512, _mm512_maskz_packs_epi32, _mm512_maskz_permutex2var_epi8, _mm512_max_epi16,
    _mm512_set1_epi32, _mm512_setzero_si512, _mm512_slli_epi32, _mm512_storeu_si512,
    _mm512_sub_epi16,
};

use super::super::BlockHead;
use super::super::plan::Run;
use super::KeyBlocks;
use crate::block::{Block, SIDE};
use crate::tile::{TILE_COLUMNS, halves};
use crate::vector::{Avx512, LANES, Vector};

/// Queries whose exponentials are made at once.
pub(super) const QUERIES: usize = 8;

/// A block's queries are done in so many parts.
pub(super) const PARTS: usize = SIDE / QUERIES;

/// The key of a block whose scores are in a column: [`exp2_of_pairs`] puts them in order.
pub(super) const KEYS: [u8; SIDE] = {
    let (mut order, mut i) = ([0; SIDE], 0);
    while i < SIDE {
        order[i] = (i % LANES / 4 * 8 + i / LANES * 4 + i % 4) as u8;
        i += 1;
    }
    order
};

/// Steps in which exponents are counted: bf16 numbers between two powers of 2.
const STEPS: f32 = 128.0;
/// The bits of 1, which are its exponent in steps.
const ONE: f32 = 0x3f80 as f32;

/// What bf16 numbers between 1 and 2 have less than a straight line from 1 to 2.
const LESS: [u8; 128] = {
    let root = 1.005_429_901_111_802_8; // of 2, the 128th
    let (mut less, mut exp, mut i) = ([0; 128], 1.0, 0);
    while i < 128 {
        less[i] = (i as f64 - (exp - 1.0) * 128.0 + 0.5) as u8;
        exp *= root;
        i += 1;
    }
    less
};

/// How scores become exponents of 2, and which are seen.
#[derive(Clone, Copy)]
pub(super) struct Exponents<'a> {
    /// `1 / sqrt(head width)`, times the logarithm which makes powers of e powers of 2, in steps.
    factor: f32,
    keys: KeyBlocks,
    seen: Option<&'a [[u32; QUERIES]]>,
}

/// What is known of 32 queries: their exponentials are `2^(exponent + below)`.
pub(super) struct Softmax {
    below: [f32; SIDE],
    sums: [Avx512; SIDE],
}

impl<'a> Exponents<'a> {
    pub(super) fn new(task: &BlockHead<'a>, run: &Run) -> Self {
        let attention = task.attention;
        Self {
            factor: attention.scale() * std::f32::consts::LOG2_E * STEPS,
            keys: KeyBlocks::of(task, run),
            seen: attention
                .plan
                .seen(task.block, run)
                .map(|seen| seen.as_chunks().0),
        }
    }

    /// Which keys of a block some queries see, a bit a key.
    #[inline(always)]
    fn seen(&self, block: usize, queries: usize) -> [u32; QUERIES] {
        match self.seen {
            Some(seen) => seen[block * PARTS + queries],
            None => [(u64::MAX >> (64 - self.keys.keys(block).len())) as u32; QUERIES],
        }
    }
}

impl Softmax {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self {
            below: [0.0; SIDE],
            sums: [Avx512::splat(0.0); SIDE],
        }
    }

    /// Begins with 32 queries: each with the largest score of its first block, whatever the others are.
    #[inline(always)]
    pub(super) fn begin(&mut self, of: &Exponents, first: &Block) {
        for (row, below) in first.rows().iter().zip(&mut self.below) {
            let (low, high) = halves(row);
            let largest = Avx512::load(low).max(Avx512::load(high)).largest();
            *below = ONE - largest * of.factor;
        }
        self.sums = [Avx512::splat(0.0); SIDE];
    }

    /// Begins some queries with the largest score of all blocks instead.
    pub(super) fn begin_exactly(
        &mut self,
        of: &Exponents,
        blocks: &[Block],
        queries: impl Iterator<Item = usize>,
    ) {
        for query in queries {
            let mut largest = f32::MIN;
            for (block, scores) in blocks.iter().enumerate() {
                let seen = of.seen(block, query / QUERIES)[query % QUERIES];
                for (score, key) in scores.rows()[query].iter().zip(KEYS) {
                    if seen >> key & 1 == 1 {
                        largest = largest.max(*score);
                    }
                }
            }
            self.below[query] = ONE - largest * of.factor;
        }
    }

    /// Writes the exponentials of part `queries` of a block's queries into left-hand sides, 32 queries x the
    /// keys of `blocks` blocks.
    #[inline(always)]
    pub(super) fn exps(
        &mut self,
        of: &Exponents,
        (block, blocks): (usize, usize),
        queries: usize,
        scores: &Block,
        to: &mut [u16],
    ) {
        let factor = Avx512::splat(of.factor);
        let seen = of.seen(block, queries);
        let of_tile = PARTS / 2;
        let place = (queries / of_tile * blocks + block) * of_tile + queries % of_tile;
        let rows: &mut [[[u16; TILE_COLUMNS]; QUERIES]] = to.as_chunks_mut().0.as_chunks_mut().0;
        let rows = rows[place].iter_mut();
        let scores = scores.parts::<QUERIES>()[queries].iter();
        let below = self.below.as_chunks::<QUERIES>().0[queries].iter();
        let sums = self.sums.as_chunks_mut::<QUERIES>().0[queries].iter_mut();
        for ((((to, scores), below), sum), seen) in rows.zip(scores).zip(below).zip(sums).zip(seen)
        {
            let (low, high) = halves(scores);
            let below = Avx512::splat(*below);
            let low = Avx512::load(low).mul_add(factor, below);
            let high = Avx512::load(high).mul_add(factor, below);
            // SAFETY: see `Avx512`.
            let exps = unsafe { exp2_of_pairs(low.register(), high.register(), seen, to) };
            *sum = sum.add(exps);
        }
    }

    /// The sums of the queries' exponentials.
    #[inline(always)]
    pub(super) fn sums(&self) -> [f32; SIDE] {
        let mut sums = [0.0; SIDE];
        for (sum, of) in sums.iter_mut().zip(&self.sums) {
            *sum = of.total();
        }
        sums
    }
}

/// Writes 2 to the power of `x / 128 - 127` of 32 numbers: bf16 numbers next to it or, for what is
/// out of their range, 0 or no number; 0 also for what is not seen. Fours of both registers take
/// turns. Answers the sum of every two that follow each other. `x` is to stay below 2^31 in size, as it
/// does for scores below 10 million.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn exp2_of_pairs(low: __m512, high: __m512, seen: u32, to: &mut [u16; TILE_COLUMNS]) -> Avx512 {
    let x = _mm512_maskz_packs_epi32(seen, _mm512_cvtps_epi32(low), _mm512_cvtps_epi32(high));
    let x = _mm512_max_epi16(x, _mm512_setzero_si512());
    // SAFETY: 64 bytes are read of each half.
    let [first, second] =
        unsafe { [0, 64].map(|half| _mm512_loadu_si512(LESS[half..].as_ptr().cast())) };
    let less = _mm512_maskz_permutex2var_epi8(0x5555_5555_5555_5555, first, x, second);
    let exps = _mm512_sub_epi16(x, less);
    // SAFETY: 64 bytes are written of 64.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), exps) };
    let even = _mm512_castsi512_ps(_mm512_slli_epi32::<16>(exps));
    let odd = _mm512_castsi512_ps(_mm512_and_si512(exps, _mm512_set1_epi32(!0xffff)));
    Avx512::of(_mm512_add_ps(even, odd))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Isa;

    /// Exponentials of 32 exponents, and the sum that belongs to them.
    fn exps(exponents: &[f32; SIDE], seen: u32) -> ([f32; SIDE], f32) {
        let steps = exponents.map(|x| x * STEPS + ONE);
        let (low, high) = halves(&steps);
        let (low, high) = (Avx512::load(low), Avx512::load(high));
        let mut exps = [0; SIDE];
        // SAFETY: called where the processor has tiles, and these instructions too.
        let sums = unsafe { exp2_of_pairs(low.register(), high.register(), seen, &mut exps) };
        (exps.map(crate::vector::widen), sums.total())
    }

    #[test]
    fn powers_are_the_bf16_numbers_next_to_them() {
        if !Isa::available().contains(&Isa::Amx) {
            return;
        }
        for first in -4000..200 {
            let exponents: [f32; SIDE] =
                std::array::from_fn(|i| first as f32 * 0.031 + i as f32 * 0.001);
            let (exps, sum) = exps(&exponents, u32::MAX);
            for (x, key) in exponents.iter().zip(KEYS) {
                let exp = exps[usize::from(key)];
                let off = (f64::from(exp) / f64::from(*x).exp2() - 1.0).abs();
                assert!(off < 1.0 / 128.0, "2^{x}: {exp}");
            }
            let of_powers: f32 = exps.iter().sum();
            assert!((sum / of_powers - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn what_is_out_of_range_or_not_seen_is_0_or_no_number() {
        if !Isa::available().contains(&Isa::Amx) {
            return;
        }
        let mut exponents = [0.0; SIDE];
        exponents[..4].copy_from_slice(&[-127.5, -1e5, 128.5, 1e5]);
        let (exps, _) = exps(&exponents, !(1 << 8));
        assert!(exps[0] < 1e-37 && exps[1] == 0.0, "{exps:?}");
        assert!(exps[2].is_nan() && exps[3].is_nan(), "{exps:?}");
        assert_eq!(exps[8], 0.0, "not seen");
        assert!(exps[9..].iter().all(|exp| *exp == 1.0));
    }
}
