//! Scores that wait to become exponentials.

use super::exp::{Exponents, QUERIES, Softmax};
use super::products::Queries;
use crate::block::{Block, SIDE};

/// Blocks that may wait. They stay in the first cache, so they are few.
pub(super) const BLOCKS: usize = 2;

/// Blocks of scores in the order in which they are made, part by part, and how far they have become
/// exponentials.
pub(super) struct Waiting<'a> {
    of: Exponents<'a>,
    queries: Queries,
    scores: &'a mut [Block; BLOCKS],
    softmax: Softmax,
    /// Blocks of a part.
    blocks: usize,
    /// Blocks that came so far, and those of them that are exponentials.
    came: usize,
    done: usize,
    /// The part of the block whose turn it is, its number there, and the next and the last of its
    /// queries, [`QUERIES`] at once.
    part: usize,
    block: usize,
    next: usize,
    last: usize,
    /// Sums of the exponentials of the last part that is done.
    sums: [f32; SIDE],
}

impl<'a> Waiting<'a> {
    #[inline(always)]
    pub(super) fn new(
        of: Exponents<'a>,
        blocks: usize,
        queries: Queries,
        scores: &'a mut [Block; BLOCKS],
    ) -> Self {
        let mut waiting = Self {
            of,
            queries,
            scores,
            softmax: Softmax::new(),
            blocks,
            came: 0,
            done: 0,
            part: 0,
            block: 0,
            next: 0,
            last: 0,
            sums: [0.0; SIDE],
        };
        waiting.turn();
        waiting
    }

    /// The part whose exponentials are made.
    #[inline(always)]
    pub(super) fn part(&self) -> usize {
        self.part
    }

    /// Whether another block may come.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.came < self.done + BLOCKS
    }

    /// Where the scores of the next block go, which come now.
    #[inline(always)]
    pub(super) fn come(&mut self) -> &mut Block {
        self.came += 1;
        &mut self.scores[(self.came - 1) % BLOCKS]
    }

    /// Makes the exponentials of some queries, if scores wait: in left-hand sides, 32 queries x all keys.
    #[inline(always)]
    pub(super) fn step(&mut self, to: &mut [u16]) {
        if self.done < self.came {
            self.some(to);
        }
    }

    /// Makes the exponentials of the block whose turn it is.
    #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vbmi")]
    #[inline(never)]
    pub(super) fn finish_block(&mut self, to: &mut [u16]) {
        let done = self.done;
        while self.done == done {
            self.some(to);
        }
    }

    /// Makes all exponentials of a part, and answers their sums.
    #[inline(always)]
    pub(super) fn finish_part(&mut self, part: usize, to: &mut [u16]) -> [f32; SIDE] {
        while self.part == part {
            // SAFETY: scores are here where the processor has these instructions.
            unsafe { self.finish_block(to) };
        }
        self.sums
    }

    #[inline(always)]
    fn some(&mut self, to: &mut [u16]) {
        let scores = &self.scores[self.done % BLOCKS];
        if self.block == 0 && self.next == self.queries.steps(self.part).start {
            self.softmax.begin(&self.of, scores);
        }
        let block = (self.block, self.blocks);
        self.softmax.exps(&self.of, block, self.next, scores, to);
        self.next += 1;
        if self.next == self.last {
            self.done += 1;
            self.block += 1;
            if self.block == self.blocks {
                self.block = 0;
                self.part += 1;
                self.sums = self.softmax.sums();
            }
            self.turn();
        }
    }

    /// Begins with the block whose turn it is.
    #[inline(always)]
    fn turn(&mut self) {
        let steps = self.queries.steps(self.part);
        (self.next, self.last) = (steps.start, steps.end);
    }

    /// How scores become exponents.
    pub(super) fn exponents(&self) -> &Exponents<'a> {
        &self.of
    }
}

const _: () = assert!(SIDE.is_multiple_of(QUERIES));
