//! Multi-head softmax attention, `softmax(q k^T / sqrt(head width)) v` of each head.
//!
//! Queries `q` are rows x width; keys and values are one matrix `kv`, rows x (2 width), a row being
//! the key and then the value; a head's part of a row is contiguous.

mod segments;
mod tree;

pub use segments::{Segment, SegmentAttention};
pub use tree::{Ancestry, TreeAttention};

use crate::math::exp;
use crate::simd::{sum, vectorised};

/// Replaces scores by their softmax.
#[inline(always)]
fn softmax(row: &mut [f32]) {
    const LANES: usize = 16;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let mut chunks = row.chunks_exact(LANES);
    for chunk in &mut chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane = if *x > *lane { *x } else { *lane };
        }
    }
    let rest = chunks.remainder().iter();
    let largest = rest
        .chain(&lanes)
        .fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
    for x in row.iter_mut() {
        *x = exp(*x - largest);
    }
    let scale = 1.0 / sum(row.len(), |i| row[i]);
    for x in row.iter_mut() {
        *x *= scale;
    }
}

/// Turns the gradient `d` of probabilities `p` into that of the scores, times `scale`.
#[inline(always)]
fn softmax_backward(p: &[f32], d: &mut [f32], scale: f32) {
    let n = p.len();
    let d = &mut d[..n];
    let mean = sum(n, |i| p[i] * d[i]);
    for i in 0..n {
        d[i] = p[i] * (d[i] - mean) * scale;
    }
}

vectorised! {
    /// [`softmax`] of rows of `n` scores.
    fn softmax_rows(n: usize, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(n) {
            softmax(row);
        }
    }
}

vectorised! {
    /// [`softmax_backward`] of rows of `n` probabilities.
    fn softmax_rows_backward(n: usize, p: &[f32], d: &mut [f32], scale: f32) {
        for (p, d) in p.chunks_exact(n).zip(d.chunks_exact_mut(n)) {
            softmax_backward(p, d, scale);
        }
    }
}
