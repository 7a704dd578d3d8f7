//! What becomes of sums of products, while they are near: bias, activation, rounding.

use super::{Finish, bf16};
use crate::Activation;
use crate::matrix::{Matrix, TILE_COLUMNS, Tiles};
use crate::output::{Output, TileOutput};
use crate::simd::vectorised;
use crate::vector::{LANES, Vector};

/// Adds the bias, where there is one.
pub(super) struct AddBias<'a>(pub(super) &'a [f32]);

impl Finish for AddBias<'_> {
    fn finish(&self, _: usize, first: usize, row: &mut [f32]) {
        add_bias(self.0, first, row);
    }
}

/// Adds the bias and rounds to bf16.
pub(super) struct Round<'a> {
    bias: &'a [f32],
    to: TileOutput<'a>,
}

impl<'a> Round<'a> {
    pub(super) fn new(bias: &'a [f32], to: &'a mut Matrix) -> Self {
        Self {
            bias,
            to: TileOutput::new(to),
        }
    }
}

impl bf16::Finish for Round<'_> {
    #[inline(always)]
    fn row<V: Vector>(&self, row: usize, column: usize, low: V, high: V) {
        let (low, high) = biased(self.bias, column, low, high);
        // SAFETY: each part of a row is finished once, by one thread.
        V::round_pair(low, high, unsafe {
            self.to.part(row, column / TILE_COLUMNS)
        });
    }
}

/// Adds the bias, and writes floats.
pub(super) struct Write<'a> {
    bias: &'a [f32],
    to: Output<'a>,
    width: usize,
}

impl<'a> Write<'a> {
    pub(super) fn new(bias: &'a [f32], to: &'a mut [f32], width: usize) -> Self {
        Self {
            bias,
            to: Output::new(to, width),
            width,
        }
    }
}

impl bf16::Finish for Write<'_> {
    #[inline(always)]
    fn row<V: Vector>(&self, row: usize, column: usize, low: V, high: V) {
        let (low, high) = biased(self.bias, column, low, high);
        let count = TILE_COLUMNS.min(self.width - column);
        // SAFETY: each part of a row is finished once, by one thread.
        let to = unsafe { self.to.part(row, column, count) };
        with_whole(to, |to| store(low, high, to));
    }
}

/// Adds bias and product to what is there, or to something else.
pub(super) struct Add<'a> {
    bias: &'a [f32],
    start: Option<&'a [f32]>,
    to: Output<'a>,
    width: usize,
}

impl<'a> Add<'a> {
    pub(super) fn new(
        bias: &'a [f32],
        start: Option<&'a [f32]>,
        to: &'a mut [f32],
        width: usize,
    ) -> Self {
        Self {
            bias,
            start,
            to: Output::new(to, width),
            width,
        }
    }
}

impl bf16::Finish for Add<'_> {
    #[inline(always)]
    fn row<V: Vector>(&self, row: usize, column: usize, low: V, high: V) {
        let (low, high) = biased(self.bias, column, low, high);
        let count = TILE_COLUMNS.min(self.width - column);
        // SAFETY: each part of a row is finished once, by one thread.
        let to = unsafe { self.to.part(row, column, count) };
        if let Some(start) = self.start {
            let start = &start[row * self.width + column..][..count];
            if let (Some(start), Some(to)) = (start.as_array(), to.as_mut_array()) {
                let (a, b) = load::<V>(start);
                store(a.add(low), b.add(high), to);
                return;
            }
            to.copy_from_slice(start);
        }
        with_whole(to, |to| {
            let (a, b) = load::<V>(to);
            store(a.add(low), b.add(high), to);
        });
    }
}

/// Adds the bias, and writes the activation of the sum to a second matrix.
pub(super) struct Activate<'a, T> {
    bias: &'a [f32],
    activation: Activation,
    to: T,
}

impl<'a> Activate<'a, Output<'a>> {
    /// The sums stay where the product is made.
    pub(super) fn floats(bias: &'a [f32], activation: Activation, to: &'a mut Matrix) -> Self {
        let width = to.width();
        Self {
            bias,
            activation,
            to: Output::new(to.floats_mut(), width),
        }
    }
}

impl Finish for Activate<'_, Output<'_>> {
    fn finish(&self, row_index: usize, first: usize, row: &mut [f32]) {
        add_bias(self.bias, first, row);
        // SAFETY: each part of a row is finished once, by one thread.
        let y = unsafe { self.to.part(row_index, first, row.len()) };
        self.activation.forward_slice(row, y);
    }
}

impl<'a> Activate<'a, (TileOutput<'a>, TileOutput<'a>)> {
    /// The sums go to `before`.
    pub(super) fn tiles(
        bias: &'a [f32],
        activation: Activation,
        before: &'a mut Matrix,
        to: &'a mut Matrix,
    ) -> Self {
        Self {
            bias,
            activation,
            to: (TileOutput::new(before), TileOutput::new(to)),
        }
    }
}

impl bf16::Finish for Activate<'_, (TileOutput<'_>, TileOutput<'_>)> {
    #[inline(always)]
    fn row<V: Vector>(&self, row: usize, column: usize, low: V, high: V) {
        let (low, high) = biased(self.bias, column, low, high);
        let tile = column / TILE_COLUMNS;
        // SAFETY: each part of a row of both is finished once, by one thread.
        let (before, to) = unsafe { (self.to.0.part(row, tile), self.to.1.part(row, tile)) };
        V::round_pair(low, high, before);
        V::round_pair(self.activation.of(low), self.activation.of(high), to);
    }
}

/// Multiplies with the slope of an activation.
pub(super) struct Deactivate<B, T> {
    activation: Activation,
    before: B,
    to: T,
}

impl<'a> Deactivate<&'a [f32], usize> {
    /// `before`: rows of `width` columns.
    pub(super) fn floats(activation: Activation, before: &'a [f32], width: usize) -> Self {
        Self {
            activation,
            before,
            to: width,
        }
    }
}

impl Finish for Deactivate<&[f32], usize> {
    fn finish(&self, row_index: usize, first: usize, row: &mut [f32]) {
        let before = &self.before[row_index * self.to + first..][..row.len()];
        self.activation.backward_slice(before, row);
    }
}

impl<'a> Deactivate<Tiles<'a>, TileOutput<'a>> {
    pub(super) fn tiles(activation: Activation, before: Tiles<'a>, to: &'a mut Matrix) -> Self {
        Self {
            activation,
            before,
            to: TileOutput::new(to),
        }
    }
}

impl bf16::Finish for Deactivate<Tiles<'_>, TileOutput<'_>> {
    #[inline(always)]
    fn row<V: Vector>(&self, row: usize, column: usize, low: V, high: V) {
        let tile = column / TILE_COLUMNS;
        let (a, b) = V::widen_pair(self.before.part(row, tile));
        let (low, high) = (
            low.mul(self.activation.slope(a)),
            high.mul(self.activation.slope(b)),
        );
        // SAFETY: each part of a row is finished once, by one thread.
        V::round_pair(low, high, unsafe { self.to.part(row, tile) });
    }
}

#[inline(always)]
fn biased<V: Vector>(bias: &[f32], column: usize, low: V, high: V) -> (V, V) {
    if bias.is_empty() {
        return (low, high);
    }
    let bias = bias[column..column + TILE_COLUMNS].as_array();
    let (a, b) = load::<V>(bias.expect("a bias is padded to whole blocks"));
    (low.add(a), high.add(b))
}

#[inline(always)]
fn load<V: Vector>(from: &[f32; TILE_COLUMNS]) -> (V, V) {
    let (low, high) = crate::matrix::halves(from);
    (V::load(low), V::load(high))
}

#[inline(always)]
fn store<V: Vector>(low: V, high: V, to: &mut [f32; TILE_COLUMNS]) {
    let (first, second) = to.split_at_mut(LANES);
    low.store(first.as_mut_array().expect("half of them"));
    high.store(second.as_mut_array().expect("half of them"));
}

/// Calls `write` with 32 floats: those of `to`, or, where there are fewer, a copy of them that goes
/// back afterwards.
#[inline(always)]
fn with_whole(to: &mut [f32], write: impl FnOnce(&mut [f32; TILE_COLUMNS])) {
    if let Some(to) = to.as_mut_array() {
        return write(to);
    }
    let mut whole = [0.0; TILE_COLUMNS];
    whole[..to.len()].copy_from_slice(to);
    write(&mut whole);
    to.copy_from_slice(&whole[..to.len()]);
}

vectorised! {
    fn add_bias(bias: &[f32], first: usize, row: &mut [f32]) {
        if !bias.is_empty() {
            for (y, b) in row.iter_mut().zip(&bias[first..]) {
                *y += b;
            }
        }
    }
}
