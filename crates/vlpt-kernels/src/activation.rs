//! The two activations of CLIP models.

use std::f32::consts::LOG2_E;

use crate::math::{erf, exp};
use crate::rows::for_blocks;
use crate::simd::vectorised;
use crate::vector::Vector;

/// Activation of the MLP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x sigmoid(1.702 x)`, that of OpenAI's weights.
    QuickGelu,
    /// `x (1 + erf(x / sqrt 2)) / 2`, that of most weights trained later.
    Gelu,
}

/// The density of the normal distribution at 0, `1 / sqrt(2 pi)`.
const DENSITY_AT_0: f32 = 0.398_942_3;

/// Elements of one task.
const BLOCK: usize = 512;

impl Activation {
    /// `y = activation(x)`, element by element.
    ///
    /// # Panics
    /// When `x` and `y` differ in length.
    pub fn forward(self, x: &[f32], y: &mut [f32]) {
        assert_eq!(x.len(), y.len(), "activation output");
        for_blocks(y, BLOCK, |first, y| {
            self.forward_slice(&x[first * BLOCK..][..y.len()], y);
        });
    }

    /// Turns `x` into `activation'(x)`, in place.
    pub fn derivative(self, x: &mut [f32]) {
        for_blocks(x, BLOCK, |_, x| self.derivative_in_place(x));
    }

    /// The activation of 16 numbers, as exact as bf16 needs.
    #[inline(always)]
    pub(crate) fn of<V: Vector>(self, x: V) -> V {
        self.with_derivative(x).0
    }

    /// The activation of 16 numbers and its derivative there, as exact as bf16 needs.
    #[inline(always)]
    pub(crate) fn with_derivative<V: Vector>(self, x: V) -> (V, V) {
        let one = V::splat(1.0);
        match self {
            Self::QuickGelu => {
                let s = logistic(x);
                let y = x.mul(s);
                (y, y.mul(V::splat(1.702)).mul_add(one.sub(s), s))
            }
            Self::Gelu => {
                // e^(-x^2 / 2), and how much of the normal distribution is farther from 0
                let exp = x.mul(x).mul(V::splat(-0.5 * LOG2_E)).exp2();
                let (size, tail) = normal_tail(x, exp);
                let y = V::zero().sub(size).mul_add(tail, x.max(V::zero()));
                let below = x.choose(one.sub(tail), tail);
                (y, x.mul(V::splat(DENSITY_AT_0)).mul_add(exp, below))
            }
        }
    }

    /// One thread's part of [`Activation::forward`].
    pub(crate) fn forward_slice(self, x: &[f32], y: &mut [f32]) {
        match self {
            Self::QuickGelu => quick_gelu_forward(x, y),
            Self::Gelu => gelu_forward(x, y),
        }
    }

    /// As [`Activation::forward_slice`], in place.
    pub(crate) fn forward_in_place(self, x: &mut [f32]) {
        match self {
            Self::QuickGelu => quick_gelu_in_place(x),
            Self::Gelu => gelu_in_place(x),
        }
    }

    /// One thread's part of [`Activation::derivative`].
    pub(crate) fn derivative_in_place(self, x: &mut [f32]) {
        match self {
            Self::QuickGelu => quick_gelu_derivatives(x),
            Self::Gelu => gelu_derivatives(x),
        }
    }
}

vectorised! {
    fn quick_gelu_forward(x: &[f32], y: &mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = quick_gelu(*x);
        }
    }
}

vectorised! {
    fn quick_gelu_in_place(x: &mut [f32]) {
        for x in x {
            *x = quick_gelu(*x);
        }
    }
}

vectorised! {
    fn gelu_in_place(x: &mut [f32]) {
        for x in x {
            *x = gelu(*x);
        }
    }
}

vectorised! {
    fn gelu_forward(x: &[f32], y: &mut [f32]) {
        for (x, y) in x.iter().zip(y) {
            *y = gelu(*x);
        }
    }
}

vectorised! {
    fn quick_gelu_derivatives(x: &mut [f32]) {
        for x in x {
            *x = quick_gelu_derivative(*x);
        }
    }
}

vectorised! {
    fn gelu_derivatives(x: &mut [f32]) {
        for x in x {
            *x = gelu_derivative(*x);
        }
    }
}

/// `1 / (1 + exp(-1.702 x))`
#[inline(always)]
fn logistic<V: Vector>(x: V) -> V {
    let exp = x.mul(V::splat(-1.702 * LOG2_E)).exp2();
    V::splat(1.0).add(exp).reciprocal()
}

/// `|x|`, and how much of the normal distribution is farther from 0 on one side, given
/// `e^(-x^2 / 2)`; by formula 7.1.26 of Abramowitz and Stegun, within 1e-7 but for the reciprocal.
#[inline(always)]
fn normal_tail<V: Vector>(x: V, exp: V) -> (V, V) {
    const A: [f32; 5] = [
        0.254_829_6,
        -0.284_496_74,
        1.421_413_7,
        -1.453_152,
        1.061_405_4,
    ];
    let size = x.max(V::zero().sub(x));
    let scale = V::splat(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2);
    let t = size.mul_add(scale, V::splat(1.0)).reciprocal();
    let mut sum = V::splat(A[4]);
    for a in [A[3], A[2], A[1], A[0]] {
        sum = sum.mul_add(t, V::splat(a));
    }
    (size, sum.mul(t).mul(exp).mul(V::splat(0.5)))
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn quick_gelu(x: f32) -> f32 {
    x * sigmoid(1.702 * x)
}

#[inline(always)]
fn quick_gelu_derivative(x: f32) -> f32 {
    let s = sigmoid(1.702 * x);
    s * (1.702 * x).mul_add(1.0 - s, 1.0)
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// Normal distribution function plus `x` times its density.
#[inline(always)]
fn gelu_derivative(x: f32) -> f32 {
    let below = 0.5 * (1.0 + erf(x * std::f32::consts::FRAC_1_SQRT_2));
    (x * DENSITY_AT_0).mul_add(exp(-0.5 * x * x), below)
}
