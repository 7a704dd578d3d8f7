//! Pixels of four bytes, and fixed-point sums back to bytes.

use crate::image::filter::PRECISION_BITS;

/// A half in fixed point: where a sum starts, so that dropping the fraction rounds.
pub(super) const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Rows that go through the horizontal pass together, to share the loading of weights.
pub(super) const ROWS: usize = 4;

/// A pixel of three channels and a byte that makes it a power of two.
pub(super) type Quad = [u8; 4];

/// A sum back to a pixel: the fraction dropped, clipped to 0..=255.
#[inline(always)]
pub(super) fn to_byte(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}
