//! What becomes of sums of bf16 products, while they are near: bias, activation, rounding.

use super::{EightRows, Epilogue};
use crate::Activation;
use crate::matrix::Matrix;
use crate::output::{Output, TileOutput};
use crate::prefetch;
use crate::tile::{TILE_COLUMNS, Tiles};
use crate::vector::{LANES, Vector};

/// What is made of a sum before it is rounded.
pub(in super::super) trait Map: Sync {
    fn of<V: Vector>(&self, sum: V) -> V;
}

/// The sum itself.
pub(in super::super) struct Plain;

impl Map for Plain {
    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        sum
    }
}

/// The activation of the sum.
pub(in super::super) struct Activated(pub(in super::super) Activation);

impl Map for Activated {
    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        self.0.of(sum)
    }
}

/// The slope of an activation at the sum.
pub(in super::super) struct Slope(pub(in super::super) Activation);

impl Map for Slope {
    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        self.0.with_slope(sum).1
    }
}

/// Adds the bias and rounds what is made of the sum to bf16.
pub(in super::super) struct Round<'a, M> {
    bias: &'a [f32],
    map: M,
    to: TileOutput<'a>,
}

impl<'a, M> Round<'a, M> {
    pub(in super::super) fn new(bias: &'a [f32], map: M, to: &'a mut Matrix) -> Self {
        Self {
            bias,
            map,
            to: TileOutput::new(to),
        }
    }
}

impl<M: Map> Epilogue for Round<'_, M> {
    #[inline(always)]
    fn rows<V: Vector>(&self, row: usize, _: usize, column: usize, sums: &EightRows) {
        let bias = Bias::<V>::new(self.bias, column);
        // SAFETY: each part is finished once, by one thread.
        let to = unsafe { self.to.rows(row, column) };
        for (to, sums) in to.iter_mut().zip(sums) {
            let (low, high) = bias.add(sums);
            V::round_pair(self.map.of(low), self.map.of(high), to);
        }
    }
}

/// Adds the bias, and writes floats.
pub(in super::super) struct Write<'a> {
    bias: &'a [f32],
    to: Output<'a>,
    width: usize,
}

impl<'a> Write<'a> {
    pub(in super::super) fn new(bias: &'a [f32], to: &'a mut [f32], width: usize) -> Self {
        Self {
            bias,
            to: Output::new(to, width),
            width,
        }
    }
}

impl Epilogue for Write<'_> {
    #[inline(always)]
    fn rows<V: Vector>(&self, row: usize, count: usize, column: usize, sums: &EightRows) {
        let bias = Bias::<V>::new(self.bias, column);
        let width = TILE_COLUMNS.min(self.width - column);
        for (i, sums) in sums[..count].iter().enumerate() {
            // SAFETY: each part of a row is finished once, by one thread.
            let to = unsafe { self.to.part(row + i, column, width) };
            let (low, high) = bias.add(sums);
            write(low, high, to);
        }
    }

    #[inline(always)]
    fn prepare(&self, row: usize, count: usize, column: usize) {
        self.to.prepare(row, count, column);
    }
}

/// Adds bias and product to what is there.
pub(in super::super) struct Add<'a> {
    bias: &'a [f32],
    to: Output<'a>,
    width: usize,
}

impl<'a> Add<'a> {
    pub(in super::super) fn new(bias: &'a [f32], to: &'a mut [f32], width: usize) -> Self {
        Self {
            bias,
            to: Output::new(to, width),
            width,
        }
    }
}

impl Epilogue for Add<'_> {
    #[inline(always)]
    fn rows<V: Vector>(&self, row: usize, count: usize, column: usize, sums: &EightRows) {
        let bias = Bias::<V>::new(self.bias, column);
        let width = TILE_COLUMNS.min(self.width - column);
        for (i, sums) in sums[..count].iter().enumerate() {
            // SAFETY: each part of a row is finished once, by one thread.
            let to = unsafe { self.to.part(row + i, column, width) };
            let (low, high) = bias.add(sums);
            add(low, high, to);
        }
    }

    #[inline(always)]
    fn prepare(&self, row: usize, count: usize, column: usize) {
        self.to.prepare(row, count, column);
    }
}

/// Adds the bias, and writes the activation of the sum and its slope.
pub(in super::super) struct Activate<'a> {
    bias: &'a [f32],
    activation: Activation,
    slope: TileOutput<'a>,
    to: TileOutput<'a>,
}

impl<'a> Activate<'a> {
    pub(in super::super) fn new(
        bias: &'a [f32],
        activation: Activation,
        slope: &'a mut Matrix,
        to: &'a mut Matrix,
    ) -> Self {
        Self {
            bias,
            activation,
            slope: TileOutput::new(slope),
            to: TileOutput::new(to),
        }
    }
}

impl Epilogue for Activate<'_> {
    #[inline(always)]
    fn rows<V: Vector>(&self, row: usize, _: usize, column: usize, sums: &EightRows) {
        let bias = Bias::<V>::new(self.bias, column);
        // SAFETY: each part is finished once, by one thread, and the matrices are two.
        let (slope, to) = unsafe { (self.slope.rows(row, column), self.to.rows(row, column)) };
        for ((to, slope), sums) in to.iter_mut().zip(slope).zip(sums) {
            let (low, high) = bias.add(sums);
            let (low, low_slope) = self.activation.with_slope(low);
            let (high, high_slope) = self.activation.with_slope(high);
            V::round_pair(low, high, to);
            V::round_pair(low_slope, high_slope, slope);
        }
    }
}

/// Multiplies with something, element by element.
pub(in super::super) struct Scale<'a> {
    factor: Tiles<'a>,
    to: TileOutput<'a>,
}

impl<'a> Scale<'a> {
    pub(in super::super) fn new(factor: Tiles<'a>, to: &'a mut Matrix) -> Self {
        Self {
            factor,
            to: TileOutput::new(to),
        }
    }
}

impl Epilogue for Scale<'_> {
    #[inline(always)]
    fn rows<V: Vector>(&self, row: usize, _: usize, column: usize, sums: &EightRows) {
        let factor = self.factor.rows(row, column);
        // SAFETY: each part is finished once, by one thread.
        let to = unsafe { self.to.rows(row, column) };
        for ((to, factor), sums) in to.iter_mut().zip(factor).zip(sums) {
            let ((low, high), (a, b)) = (load::<V>(sums), V::widen_pair(factor));
            V::round_pair(low.mul(a), high.mul(b), to);
        }
    }

    #[inline(always)]
    fn prepare(&self, row: usize, _: usize, column: usize) {
        for factor in self.factor.rows(row, column) {
            prefetch::to_read(factor.as_ptr());
        }
    }
}

/// The bias of 32 columns, if there is one.
struct Bias<V>(Option<(V, V)>);

impl<V: Vector> Bias<V> {
    #[inline(always)]
    fn new(bias: &[f32], column: usize) -> Self {
        if bias.is_empty() {
            return Self(None);
        }
        let bias = bias[column..column + TILE_COLUMNS].as_array();
        Self(Some(load(bias.expect("a bias is padded to whole blocks"))))
    }

    /// A row of sums with it.
    #[inline(always)]
    fn add(&self, sums: &[f32; TILE_COLUMNS]) -> (V, V) {
        let (low, high) = load::<V>(sums);
        match self.0 {
            None => (low, high),
            Some((a, b)) => (low.add(a), high.add(b)),
        }
    }
}

#[inline(always)]
fn load<V: Vector>(from: &[f32; TILE_COLUMNS]) -> (V, V) {
    let (low, high) = crate::tile::halves(from);
    (V::load(low), V::load(high))
}

#[inline(always)]
fn store<V: Vector>(low: V, high: V, to: &mut [f32; TILE_COLUMNS]) {
    let (first, second) = to.split_at_mut(LANES);
    low.store(first.as_mut_array().expect("half of them"));
    high.store(second.as_mut_array().expect("half of them"));
}

/// Adds two vectors to 32 floats, or to as many of them as there are.
#[inline(always)]
fn add<V: Vector>(low: V, high: V, to: &mut [f32]) {
    if let Some(to) = to.as_mut_array() {
        let (a, b) = load::<V>(to);
        store(a.add(low), b.add(high), to);
        return;
    }
    let mut whole = [0.0; TILE_COLUMNS];
    whole[..to.len()].copy_from_slice(to);
    let (a, b) = load::<V>(&whole);
    store(a.add(low), b.add(high), &mut whole);
    to.copy_from_slice(&whole[..to.len()]);
}

/// Writes two vectors to 32 floats, or to as many of them as there are.
#[inline(always)]
fn write<V: Vector>(low: V, high: V, to: &mut [f32]) {
    if let Some(to) = to.as_mut_array() {
        return store(low, high, to);
    }
    let mut whole = [0.0; TILE_COLUMNS];
    store(low, high, &mut whole);
    to.copy_from_slice(&whole[..to.len()]);
}
