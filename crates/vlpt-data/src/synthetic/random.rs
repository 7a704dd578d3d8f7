//! The generator behind every synthetic picture: SplitMix64, keyed by what is drawn.
//!
//! It is not the generator of the few-shot samples: a picture needs its own short stream, cheap to
//! start.

use vlpt_base::random::SplitMix64;

/// A stream of numbers that depends on its key alone.
#[derive(Debug, Clone)]
pub(super) struct Stream(SplitMix64);

impl Stream {
    /// The stream of a list of words; any different word or order gives an unrelated stream.
    pub(super) fn keyed(words: &[u64]) -> Self {
        Self(SplitMix64::keyed(0x005E_ED0F_D2A3_11C5, words))
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub(super) fn unit(&mut self) -> f64 {
        self.0.uniform()
    }

    /// A number in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`, which is at least 1 and small, so that the bias of a remainder is
    /// far below what a picture shows.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }
}
