//! What becomes of sums of bf16 products, while they are in registers: bias, activation, rounding.

use super::{Epilogue, Rows};
use crate::Activation;
use crate::matrix::Matrix;
use crate::output::{Output, TileOutput};
use crate::prefetch;
use crate::tile::{TILE_COLUMNS, Tiles};
use crate::vector::{LANES, Vector};

/// What is made of a sum before it is rounded.
pub(in super::super) trait Map: Sync {
    /// See [`Epilogue::LONG`].
    const LONG: bool;

    fn of<V: Vector>(&self, sum: V) -> V;
}

/// The sum itself.
pub(in super::super) struct Plain;

impl Map for Plain {
    const LONG: bool = false;

    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        sum
    }
}

/// The activation of the sum.
pub(in super::super) struct Activated(pub(in super::super) Activation);

impl Map for Activated {
    const LONG: bool = true;

    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        self.0.of(sum)
    }
}

/// The derivative of an activation at the sum.
pub(in super::super) struct Derivative(pub(in super::super) Activation);

impl Map for Derivative {
    const LONG: bool = true;

    #[inline(always)]
    fn of<V: Vector>(&self, sum: V) -> V {
        self.0.with_derivative(sum).1
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
    const LONG: bool = M::LONG;

    #[inline(always)]
    fn rows<V: Vector, const N: usize>(&self, row: usize, _: usize, column: usize, sums: &Rows<N>) {
        let bias = Bias::<V>::new(self.bias, column);
        // SAFETY: each part is finished once, by one thread.
        let to = unsafe { self.to.rows::<N>(row, column) };
        for (to, sums) in to.iter_mut().zip(sums) {
            let (low, high) = bias.add(sums);
            V::round_pair(self.map.of(low), self.map.of(high), to);
        }
    }
}

/// Adds the bias, and writes floats.
pub(in super::super) type Write<'a> = Floats<'a, false>;

/// Adds bias and product to what is there.
pub(in super::super) type Add<'a> = Floats<'a, true>;

/// Adds the bias, and writes floats; or adds them to what is there, with `ADD`.
pub(in super::super) struct Floats<'a, const ADD: bool> {
    bias: &'a [f32],
    to: Output<'a>,
    width: usize,
}

impl<'a, const ADD: bool> Floats<'a, ADD> {
    pub(in super::super) fn new(bias: &'a [f32], to: &'a mut [f32], width: usize) -> Self {
        Self {
            bias,
            to: Output::new(to, width),
            width,
        }
    }

    /// One row of sums.
    #[inline(always)]
    fn row<V: Vector>(bias: &Bias<V>, sums: &[f32; TILE_COLUMNS], to: &mut [f32; TILE_COLUMNS]) {
        let (mut low, mut high) = bias.add(sums);
        if ADD {
            let (a, b) = load::<V>(to);
            (low, high) = (a.add(low), b.add(high));
        }
        let (first, second) = to.split_at_mut(LANES);
        low.store(first.as_mut_array().expect("half of them"));
        high.store(second.as_mut_array().expect("half of them"));
    }
}

impl<const ADD: bool> Epilogue for Floats<'_, ADD> {
    #[inline(always)]
    fn rows<V: Vector, const N: usize>(
        &self,
        row: usize,
        count: usize,
        column: usize,
        sums: &Rows<N>,
    ) {
        let bias = Bias::<V>::new(self.bias, column);
        let width = TILE_COLUMNS.min(self.width - column);
        if (count, width) == (N, TILE_COLUMNS) {
            // SAFETY: each part of a row is finished once, by one thread.
            let to = unsafe { self.to.rows::<N>(row, column) };
            for (to, sums) in to.into_iter().zip(sums) {
                Self::row(&bias, sums, to);
            }
            return;
        }
        for (i, sums) in sums[..count].iter().enumerate() {
            // SAFETY: as above.
            let to = unsafe { self.to.part(row + i, column, width) };
            let mut whole = [0.0; TILE_COLUMNS];
            whole[..width].copy_from_slice(to);
            Self::row(&bias, sums, &mut whole);
            to.copy_from_slice(&whole[..width]);
        }
    }

    #[inline(always)]
    fn prepare(&self, row: usize, count: usize, column: usize) {
        self.to.prepare(row, count, column);
    }
}

/// Adds the bias, and writes the activation of the sum and its derivative.
pub(in super::super) struct Activate<'a> {
    bias: &'a [f32],
    activation: Activation,
    derivative: TileOutput<'a>,
    to: TileOutput<'a>,
}

impl<'a> Activate<'a> {
    pub(in super::super) fn new(
        bias: &'a [f32],
        activation: Activation,
        derivative: &'a mut Matrix,
        to: &'a mut Matrix,
    ) -> Self {
        Self {
            bias,
            activation,
            derivative: TileOutput::new(derivative),
            to: TileOutput::new(to),
        }
    }
}

impl Epilogue for Activate<'_> {
    const LONG: bool = true;

    #[inline(always)]
    fn rows<V: Vector, const N: usize>(&self, row: usize, _: usize, column: usize, sums: &Rows<N>) {
        let bias = Bias::<V>::new(self.bias, column);
        // SAFETY: each part is finished once, by one thread, and the matrices are two.
        let (derivative, to) = unsafe {
            (
                self.derivative.rows::<N>(row, column),
                self.to.rows::<N>(row, column),
            )
        };
        for ((to, derivative), sums) in to.iter_mut().zip(derivative).zip(sums) {
            let (low, high) = bias.add(sums);
            let (low, low_derivative) = self.activation.with_derivative(low);
            let (high, high_derivative) = self.activation.with_derivative(high);
            V::round_pair(low, high, to);
            V::round_pair(low_derivative, high_derivative, derivative);
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
    fn rows<V: Vector, const N: usize>(&self, row: usize, _: usize, column: usize, sums: &Rows<N>) {
        let factor = self.factor.rows::<N>(row, column);
        // SAFETY: each part is finished once, by one thread.
        let to = unsafe { self.to.rows::<N>(row, column) };
        for ((to, factor), sums) in to.iter_mut().zip(factor).zip(sums) {
            let ((low, high), (a, b)) = (load::<V>(sums), V::widen_pair(factor));
            V::round_pair(low.mul(a), high.mul(b), to);
        }
    }

    #[inline(always)]
    fn prepare(&self, row: usize, count: usize, column: usize) {
        for row in row..row + count {
            let factor = self.factor.part(row, column / TILE_COLUMNS);
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
