//! Vectors as arrays, which the compiler turns into the instructions it may use.

use super::{LANES, Vector};

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Portable([f32; LANES]);

/// The nearest bf16 number, ties to even; not-a-number stays one.
#[inline(always)]
pub(crate) fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    let rounded = (bits.wrapping_add(0x7fff + ((bits >> 16) & 1)) >> 16) as u16;
    if x.is_nan() {
        ((bits >> 16) | 0x40) as u16
    } else {
        rounded
    }
}

#[inline(always)]
pub(crate) fn widen(x: u16) -> f32 {
    f32::from_bits(u32::from(x) << 16)
}

/// 2 to the power of -0.5 to 0.5, within 4e-6: interpolation at Chebyshev nodes.
const POWER_OF_2: [f32; 5] = [1.0, 0.693_121, 0.240_223_5, 0.055_921_976, 0.009_666_368];

#[inline(always)]
fn exp2(x: f32) -> f32 {
    /// Adding it to a small f32 leaves the nearest integer in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let t = x.clamp(-126.0, 127.0);
    let shifted = t + ROUND;
    let f = t - (shifted - ROUND);
    let [c0, c1, c2, c3, c4] = POWER_OF_2;
    let p = c4
        .mul_add(f, c3)
        .mul_add(f, c2)
        .mul_add(f, c1)
        .mul_add(f, c0);
    let exp = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -126.0 { 0.0 } else { p * exp }
}

impl Portable {
    #[inline(always)]
    fn with(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let mut to = self;
        for i in 0..LANES {
            to.0[i] = f(self.0[i], other.0[i]);
        }
        to
    }
}

impl Vector for Portable {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        Self([x; LANES])
    }

    #[inline(always)]
    fn load(x: &[f32; LANES]) -> Self {
        Self(*x)
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        *to = self.0;
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        let mut to = self;
        for i in 0..LANES {
            to.0[i] = self.0[i].mul_add(factor.0[i], term.0[i]);
        }
        to
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.with(other, |a, b| if b > a { b } else { a })
    }

    #[inline(always)]
    fn exp2(self) -> Self {
        Self(self.0.map(exp2))
    }

    #[inline(always)]
    fn reciprocal(self) -> Self {
        Self(self.0.map(|x| 1.0 / x))
    }

    #[inline(always)]
    fn choose(self, positive: Self, other: Self) -> Self {
        let mut to = other;
        for i in 0..LANES {
            if self.0[i] > 0.0 {
                to.0[i] = positive.0[i];
            }
        }
        to
    }

    #[inline(always)]
    fn round_pair(low: Self, high: Self, to: &mut [u16; 2 * LANES]) {
        for i in 0..LANES {
            to[i] = round(low.0[i]);
            to[LANES + i] = round(high.0[i]);
        }
    }

    #[inline(always)]
    fn add_products(self, a: &[u16; 2 * LANES], b: &[u16; 2 * LANES]) -> Self {
        let mut to = self;
        let pairs = a.as_chunks::<2>().0.iter().zip(b.as_chunks::<2>().0);
        for (to, (a, b)) in to.0.iter_mut().zip(pairs) {
            *to = widen(a[1]).mul_add(widen(b[1]), *to);
            *to = widen(a[0]).mul_add(widen(b[0]), *to);
        }
        to
    }

    #[inline(always)]
    fn widen(from: &[u16; LANES]) -> Self {
        let mut to = [0.0; LANES];
        for (to, from) in to.iter_mut().zip(from) {
            *to = widen(*from);
        }
        Self(to)
    }

    #[inline(always)]
    fn widen_pair(from: &[u16; 2 * LANES]) -> (Self, Self) {
        let part = |first: usize| Self(std::array::from_fn(|i| widen(from[first + i])));
        (part(0), part(LANES))
    }
}
