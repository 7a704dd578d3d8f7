//! The horizontal pass.

use super::lanes::Lanes;
use super::quad::{Quad, ROWS};
use crate::image::filter::Taps;

/// Weights of the horizontal pass: pixels go in pairs, a weight repeated over the four bytes of each.
pub(super) struct Columns {
    /// First input pixel of each output pixel's window, counted from `first`.
    starts: Vec<usize>,
    /// `pairs` for each output pixel; weights past its window are zero.
    weights: Vec<[i32; 8]>,
    /// Pairs of pixels in the longest window.
    pairs: usize,
    first: usize,
    span: usize,
}

impl Columns {
    pub(super) fn new(taps: &Taps) -> Self {
        let (first, end) = taps.reach();
        let pairs = taps.stride.div_ceil(2);
        let mut weights = vec![[0; 8]; pairs * taps.windows.len()];
        for (index, to) in weights.chunks_exact_mut(pairs).enumerate() {
            for (pair, two) in to.iter_mut().zip(taps.weights_at(index).chunks(2)) {
                for (four, &weight) in pair.chunks_exact_mut(4).zip(two) {
                    four.fill(weight);
                }
            }
        }
        let starts = taps.windows.iter().map(|w| w.start - first).collect();
        Self {
            starts,
            weights,
            pairs,
            first,
            span: end - first,
        }
    }

    /// First input pixel needed.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// Number of input pixels needed from there.
    pub(super) fn span(&self) -> usize {
        self.span
    }

    /// Length of an input row: with room for zero weights past the last pixel.
    pub(super) fn padded(&self) -> usize {
        self.span + 2 * self.pairs
    }

    /// Number of output pixels.
    pub(super) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Resizes rows of [`Columns::padded`] pixels to rows of [`Columns::count`].
    #[inline(always)]
    pub(super) fn apply<L: Lanes>(
        &self,
        lanes: L,
        rows: &[Vec<Quad>; ROWS],
        band: &mut [Vec<Quad>; ROWS],
    ) {
        let [r0, r1, r2, r3] = rows;
        let [b0, b1, b2, b3] = band.each_mut().map(|row| &mut row[..self.starts.len()]);
        for (x, weights) in self.weights.chunks_exact(self.pairs).enumerate() {
            let window = self.starts[x]..self.starts[x] + 2 * self.pairs;
            let windows = [
                &r0[window.clone()],
                &r1[window.clone()],
                &r2[window.clone()],
                &r3[window],
            ];
            [b0[x], b1[x], b2[x], b3[x]] = lanes.weigh(weights, windows);
        }
    }
}
