//! Sixteen floats at once, for the kernels that read or write bf16.

#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) use avx512::Avx512;
pub(crate) use portable::{Portable, round as round_to_bf16, widen};

/// Floats of a [`Vector`].
pub(crate) const LANES: usize = 16;

/// 16 floats. Kernels are written once over this trait and compiled for each kind of vector by
/// [`over_vectors`].
///
/// Exponentials and reciprocals are as exact as bf16 results need, not to the last bit of f32: they are off
/// by a twentieth of what rounding to bf16 may change.
pub(crate) trait Vector: Copy {
    fn splat(x: f32) -> Self;
    fn load(x: &[f32; LANES]) -> Self;
    fn store(self, to: &mut [f32; LANES]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn mul(self, other: Self) -> Self;
    /// `self * factor + term`
    fn mul_add(self, factor: Self, term: Self) -> Self;
    fn max(self, other: Self) -> Self;
    /// `2^self` within 1e-4 of its size; 0 below -126, and something very large above 127.
    fn exp2(self) -> Self;
    /// `1 / self` within 1e-4 of its size.
    fn reciprocal(self) -> Self;
    /// `positive` where self is above 0, `other` elsewhere.
    fn choose(self, positive: Self, other: Self) -> Self;
    /// The nearest bf16 numbers of `low` and then `high`.
    fn round_pair(low: Self, high: Self, to: &mut [u16; 2 * LANES]);
    /// The floats that 32 bf16 numbers stand for, the first 16 first.
    fn widen_pair(from: &[u16; 2 * LANES]) -> (Self, Self);

    /// `self` and the products of two bf16 numbers that follow each other, in each of 16 places.
    fn add_products(self, a: &[u16; 2 * LANES], b: &[u16; 2 * LANES]) -> Self;

    /// The floats that 16 bf16 numbers stand for.
    fn widen(from: &[u16; LANES]) -> Self;

    #[inline(always)]
    fn zero() -> Self {
        Self::splat(0.0)
    }
}

/// Defines a function over `V: Vector` that is compiled for portable vectors, for portable vectors
/// under AVX2, and for AVX-512 with bf16; which one runs is chosen by [`Isa::current`].
///
/// What the body calls must be `#[inline(always)]` (closures in its arguments are inlined with it):
/// what is not inlined is compiled for the baseline alone.
///
/// [`Isa::current`]: crate::Isa::current
macro_rules! over_vectors {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$v:ident>($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        $vis fn $name($($arg: $type),*) {
            #[inline(always)]
            fn generic<$v: $crate::vector::Vector>($($arg: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512bf16")]
                fn avx512($($arg: $type),*) {
                    generic::<$crate::vector::Avx512>($($arg),*);
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) {
                    generic::<$crate::vector::Portable>($($arg),*);
                }
                let level = $crate::Isa::current();
                if level >= $crate::Isa::Avx512Bf16 {
                    // SAFETY: the processor has what the level names.
                    unsafe { avx512($($arg),*) };
                    return;
                }
                if level >= $crate::Isa::Avx2 {
                    // SAFETY: as above.
                    unsafe { avx2($($arg),*) };
                    return;
                }
            }
            generic::<$crate::vector::Portable>($($arg),*);
        }
    };
}

pub(crate) use over_vectors;

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Probe {
        exp: [f32; LANES],
        reciprocal: [f32; LANES],
        bf16: [u16; 2 * LANES],
        products: [f32; LANES],
    }

    #[inline(always)]
    fn probe_with<V: Vector>(x: &[f32; LANES], to: &mut Probe) {
        let v = V::load(x);
        v.exp2().store(&mut to.exp);
        v.reciprocal().store(&mut to.reciprocal);
        V::round_pair(v, v.mul_add(V::splat(2.0), V::splat(1.0)), &mut to.bf16);
        v.add_products(&to.bf16, &to.bf16).store(&mut to.products);
    }

    over_vectors! {
        fn probe<V>(x: &[f32; LANES], to: &mut Probe) {
            probe_with::<V>(x, to);
        }
    }

    fn check(probe: impl Fn(&[f32; LANES], &mut Probe)) {
        let mut got = Probe::default();
        for i in 0..1000 {
            let x: [f32; LANES] =
                std::array::from_fn(|j| ((i * 37 + j * 101) % 1600) as f32 * 0.0997 - 79.7);
            probe(&x, &mut got);
            for j in 0..LANES {
                let want = f64::from(x[j]).exp2();
                let error = (f64::from(got.exp[j]) - want).abs() / want;
                assert!(error < 1e-4, "2^{} = {}", x[j], got.exp[j]);
                let error = (f64::from(got.reciprocal[j]) * f64::from(x[j]) - 1.0).abs();
                assert!(error < 1e-4, "1 / {} = {}", x[j], got.reciprocal[j]);
                let second = x[j].mul_add(2.0, 1.0);
                let pair = [got.bf16[2 * j], got.bf16[2 * j + 1]].map(|x| f64::from(widen(x)));
                let want = f64::from(x[j]) + pair[0] * pair[0] + pair[1] * pair[1];
                let error = (f64::from(got.products[j]) - want).abs();
                assert!(error < 1e-5 * want.abs().max(1.0), "sum of products {want}");
                assert_eq!(got.bf16[j], portable::round(x[j]), "bf16 of {}", x[j]);
                assert_eq!(
                    got.bf16[LANES + j],
                    portable::round(second),
                    "bf16 of {second}"
                );
            }
        }
        probe(&[f32::NAN; LANES], &mut got);
        assert!(
            got.exp.iter().all(|x| x.is_nan()),
            "what is no number stays none"
        );
        probe(&[-1e30; LANES], &mut got);
        assert_eq!(got.exp, [0.0; LANES]);
        probe(&[1e30; LANES], &mut got);
        assert!(got.exp.iter().all(|x| *x > 1e38), "{:?}", got.exp);
        probe(&[f32::INFINITY; LANES], &mut got);
        assert_eq!(got.reciprocal, [0.0; LANES]);
    }

    #[test]
    fn powers_reciprocals_and_roundings_are_right() {
        check(probe);
        check(probe_with::<Portable>);
    }

    #[test]
    fn rounding_goes_to_the_nearest_and_to_even() {
        for (x, want) in [
            (1.0f32, 0x3f80),
            (f32::from_bits(0x3f80_8000), 0x3f80),
            (f32::from_bits(0x3f81_8000), 0x3f82),
            (f32::from_bits(0x3f80_8001), 0x3f81),
            (-0.0, 0x8000),
            (f32::INFINITY, 0x7f80),
        ] {
            assert_eq!(portable::round(x), want, "{x}");
        }
        assert!(portable::widen(portable::round(f32::from_bits(0x7f80_0001))).is_nan());
    }
}
