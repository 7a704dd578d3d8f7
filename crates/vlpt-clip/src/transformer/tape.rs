//! What a forward pass leaves for backward, and how much of it is kept.
//!
//! Backward needs the standardised rows before the attention and before the MLP, queries, keys and
//! values, and the derivative of the activation. From the standardised rows the others are computed again
//! with one product each, without them a whole pass is done again; so they are kept first. What is
//! kept of the others is what took longest for its bytes when it was made.

use std::iter::Sum;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use vlpt_kernels::{Arena, Buffer, Matrix, Operand, Standardize};

use super::gradient::Gradient;
use super::pick;

/// What backward needs of a block, as far as it was kept.
#[derive(Debug)]
pub(crate) struct BlockTape {
    /// The input, n x width.
    pub(super) ln_1: NormTape,
    /// The sum after the attention, m x width.
    pub(super) ln_2: NormTape,
    pub(super) projected: Option<Projected>,
    /// Derivative of the MLP's activation, m x mlp.
    pub(super) derivative: Option<Matrix>,
}

/// What the attention reads. With `n` tokens of which `m` ask:
#[derive(Debug)]
pub(super) struct Projected {
    /// Queries, m x width.
    pub(super) q: Matrix,
    /// Keys and values, n x (2 width).
    pub(super) kv: Matrix,
}

/// Standardised rows and their scales.
#[derive(Debug)]
pub(super) struct NormTape {
    pub(super) rows: Matrix,
    pub(super) scales: Buffer<f32>,
}

impl NormTape {
    /// Adds to the gradient of what was standardised, given that of what came out.
    pub(super) fn backward_add(&self, norm: Standardize, dz: Operand, dx: &mut Gradient) {
        let (floats, rounded) = dx.parts();
        norm.backward_add((&self.rows, &self.scales), dz, floats, rounded);
    }

    pub(super) fn gather(&self, arena: &Arena, rows: &[u32]) -> Self {
        Self {
            rows: Matrix::gather(arena, &self.rows, rows),
            scales: pick(arena, &self.scales, 1, rows),
        }
    }
}

/// What a tape holds beside standardised rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SavedActivations {
    pub(crate) projected: bool,
    pub(crate) derivative: bool,
}

impl SavedActivations {
    pub(crate) const ALL: Self = Self {
        projected: true,
        derivative: true,
    };
    const ROWS: Self = Self {
        projected: false,
        derivative: false,
    };
}

/// Bytes of the parts of a tape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TapeBytes {
    pub(crate) rows: usize,
    pub(crate) projected: usize,
    pub(crate) derivative: usize,
}

impl TapeBytes {
    pub(crate) fn all(self) -> usize {
        self.of(SavedActivations::ALL)
    }

    /// What is kept of blocks.
    pub(crate) fn of_blocks(blocks: &[Self], keep: &[SavedActivations]) -> usize {
        blocks
            .iter()
            .zip(keep)
            .map(|(block, keep)| block.of(*keep))
            .sum()
    }

    fn of(self, keep: SavedActivations) -> usize {
        let if_kept = |kept, bytes| if kept { bytes } else { 0 };
        self.rows
            + if_kept(keep.projected, self.projected)
            + if_kept(keep.derivative, self.derivative)
    }
}

impl Sum for TapeBytes {
    fn sum<I: Iterator<Item = Self>>(bytes: I) -> Self {
        bytes.fold(Self::default(), |a, b| Self {
            rows: a.rows + b.rows,
            projected: a.projected + b.projected,
            derivative: a.derivative + b.derivative,
        })
    }
}

/// Which activations tapes save (activation checkpointing): decided by how long parts of tapes took to
/// make so far, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct CheckpointPolicy {
    projected: AtomicU64,
    derivative: AtomicU64,
}

/// A part of a tape that can be kept or not: its bytes, and keeping it.
type Part = (fn(&TapeBytes) -> usize, fn(&mut SavedActivations));

const PROJECTED: Part = (|bytes| bytes.projected, |keep| keep.projected = true);
const DERIVATIVE: Part = (|bytes| bytes.derivative, |keep| keep.derivative = true);

impl CheckpointPolicy {
    pub(super) fn count_projected(&self, since: Instant) {
        count(&self.projected, since);
    }

    pub(super) fn count_derivative(&self, since: Instant) {
        count(&self.derivative, since);
    }

    /// What is kept of the blocks of each chunk, whose bytes are given, so that all together takes
    /// at most `budget`: nothing, or the rows of all of its blocks and more of some.
    ///
    /// It depends on time, but no result does: what is computed again has the same bits.
    pub(crate) fn share(
        &self,
        budget: usize,
        chunks: &[Vec<TapeBytes>],
    ) -> Vec<Option<Vec<SavedActivations>>> {
        let mut left = budget;
        let mut take = |bytes: usize| {
            let rest = left.checked_sub(bytes);
            left = rest.unwrap_or(left);
            rest.is_some()
        };
        let rows = |chunk: &Vec<TapeBytes>| {
            take(chunk.iter().map(|block| block.rows).sum())
                .then(|| vec![SavedActivations::ROWS; chunk.len()])
        };
        let mut kept: Vec<_> = chunks.iter().map(rows).collect();
        for (bytes, set) in self.order(chunks.iter().flatten().copied().sum()) {
            for (keep, chunk) in kept.iter_mut().zip(chunks) {
                for (keep, block) in keep.iter_mut().flatten().zip(chunk) {
                    if take(bytes(block)) {
                        set(keep);
                    }
                }
            }
        }
        kept
    }

    /// What takes longest for its bytes comes first. Before anything was measured, that is the derivative,
    /// which takes an activation beside a product.
    fn order(&self, all: TapeBytes) -> [Part; 2] {
        let of_byte = |sum: &AtomicU64, bytes: usize| {
            sum.load(Ordering::Relaxed) as f64 / bytes.max(1) as f64
        };
        if of_byte(&self.projected, all.projected) > of_byte(&self.derivative, all.derivative) {
            [PROJECTED, DERIVATIVE]
        } else {
            [DERIVATIVE, PROJECTED]
        }
    }
}

fn count(sum: &AtomicU64, since: Instant) {
    let nanoseconds = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
    sum.fetch_add(nanoseconds, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: TapeBytes = TapeBytes {
        rows: 10,
        projected: 30,
        derivative: 40,
    };

    /// What is kept of two chunks of two blocks: `r`, the rows; `p`, what the attention reads too;
    /// `s`, the derivative too; `a`, all.
    fn kept(checkpoints: &CheckpointPolicy, budget: usize) -> String {
        let chunks = [vec![BLOCK; 2], vec![BLOCK; 2]];
        let shares = checkpoints.share(budget, &chunks);
        let bytes: usize = chunks
            .iter()
            .zip(&shares)
            .filter_map(|(chunk, keep)| Some(TapeBytes::of_blocks(chunk, keep.as_ref()?)))
            .sum();
        assert!(bytes <= budget, "{bytes} of {budget}");
        let letter = |keep: &SavedActivations| match (keep.projected, keep.derivative) {
            (false, false) => 'r',
            (true, false) => 'p',
            (false, true) => 's',
            (true, true) => 'a',
        };
        let words = shares.iter().map(|keep| match keep {
            None => "-".to_owned(),
            Some(keep) => keep.iter().map(letter).collect(),
        });
        words.collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn rows_come_first_and_then_what_takes_longest_for_its_bytes() {
        let checkpoints = CheckpointPolicy::default();
        assert_eq!(kept(&checkpoints, 19), "- -");
        assert_eq!(kept(&checkpoints, 39), "rr -");
        assert_eq!(kept(&checkpoints, 40), "rr rr");
        assert_eq!(
            kept(&checkpoints, 79),
            "pr rr",
            "39 are too few for a derivative"
        );
        assert_eq!(kept(&checkpoints, 80), "sr rr");
        assert_eq!(kept(&checkpoints, 200), "ss ss");
        assert_eq!(kept(&checkpoints, 319), "aa as");
        assert_eq!(kept(&checkpoints, 320), "aa aa");
    }

    #[test]
    fn what_was_measured_decides() {
        let checkpoints = CheckpointPolicy::default();
        checkpoints.derivative.store(4, Ordering::Relaxed);
        checkpoints.projected.store(4, Ordering::Relaxed); // for fewer bytes
        assert_eq!(kept(&checkpoints, 100), "pp rr");
        checkpoints.derivative.store(6, Ordering::Relaxed);
        assert_eq!(kept(&checkpoints, 120), "ss rr");
    }
}
