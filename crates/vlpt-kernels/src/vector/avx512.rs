//! Vectors as AVX-512 registers.

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _CMP_GT_OQ, _CMP_NLT_UQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEG_INF,
    _mm256_loadu_si256, _mm512_add_ps, _mm512_castsi512_ps, _mm512_castsi512_si256,
    _mm512_cmp_ps_mask, _mm512_cvtepu16_epi32, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps,
    _mm512_extracti64x4_epi64, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512,
    _mm512_mask_blend_ps, _mm512_mask_cmp_ps_mask, _mm512_maskz_scalef_ps, _mm512_max_ps,
    _mm512_mul_ps, _mm512_rcp14_ps, _mm512_reduce_ps, _mm512_set1_ps, _mm512_setzero_ps,
    _mm512_slli_epi32, _mm512_storeu_ps, _mm512_storeu_si512, _mm512_sub_ps,
};

use super::{LANES, Vector};

/// A register. Values of this type are made and used only in functions that are compiled for
/// AVX-512 with bf16 and called where the processor has it (see `over_vectors`); the safety of
/// every block below rests on that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512(__m512);

#[cfg(target_os = "linux")]
impl Avx512 {
    /// Of a register.
    #[inline(always)]
    pub(crate) fn of(register: __m512) -> Self {
        Self(register)
    }

    /// The register itself.
    #[inline(always)]
    pub(crate) fn register(self) -> __m512 {
        self.0
    }

    /// The largest of all lanes.
    #[inline(always)]
    pub(crate) fn largest(self) -> f32 {
        // SAFETY: see the type.
        unsafe { std::arch::x86_64::_mm512_reduce_max_ps(self.0) }
    }

    /// The sum of all lanes.
    #[inline(always)]
    pub(crate) fn total(self) -> f32 {
        // SAFETY: see the type.
        unsafe { std::arch::x86_64::_mm512_reduce_add_ps(self.0) }
    }

    /// The larger of both lanes where a bit is set, `self` elsewhere.
    #[inline(always)]
    pub(crate) fn max_where(self, bits: u16, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { std::arch::x86_64::_mm512_mask_max_ps(self.0, bits, self.0, other.0) })
    }
}

impl Avx512 {
    /// [`Vector::exp2`] where a bit is set, 0 elsewhere.
    #[inline(always)]
    pub(crate) fn power_of_2_where(self, bits: u16) -> Self {
        const DOWN: i32 = _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC;
        // SAFETY: see the type.
        unsafe {
            let c = POWER_OF_2;
            let f = _mm512_reduce_ps::<DOWN>(self.0);
            let p = _mm512_fmadd_ps(_mm512_set1_ps(c[3]), f, _mm512_set1_ps(c[2]));
            let p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(c[1]));
            let p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(c[0]));
            // what is left out costs nothing; a result below the normal numbers would cost a lot
            let least = _mm512_set1_ps(-126.0);
            let near = _mm512_mask_cmp_ps_mask::<_CMP_NLT_UQ>(bits, self.0, least);
            Self(_mm512_maskz_scalef_ps(near, p, self.0))
        }
    }
}

/// 2 to the power of 0 to 1, within 9e-5 and exactly 1 at 0: a minimax fit made for this crate.
const POWER_OF_2: [f32; 4] = [1.0, 0.695_116_8, 0.227_644_82, 0.077_067_2];

impl Vector for Avx512 {
    #[inline(always)]
    fn splat(x: f32) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_set1_ps(x) })
    }

    #[inline(always)]
    fn load(x: &[f32; LANES]) -> Self {
        // SAFETY: see the type; 16 floats are read of 16.
        Self(unsafe { _mm512_loadu_ps(x.as_ptr()) })
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES]) {
        // SAFETY: see the type; 16 floats are written of 16.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_add_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_sub_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_mul_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn mul_add(self, factor: Self, term: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_fmadd_ps(self.0, factor.0, term.0) })
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_max_ps(self.0, other.0) })
    }

    #[inline(always)]
    fn exp2(self) -> Self {
        self.power_of_2_where(!0)
    }

    #[inline(always)]
    fn reciprocal(self) -> Self {
        // SAFETY: see the type.
        Self(unsafe { _mm512_rcp14_ps(self.0) })
    }

    #[inline(always)]
    fn choose(self, positive: Self, other: Self) -> Self {
        // SAFETY: see the type.
        unsafe {
            let above = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(self.0, _mm512_setzero_ps());
            Self(_mm512_mask_blend_ps(above, other.0, positive.0))
        }
    }

    #[inline(always)]
    fn round_pair(low: Self, high: Self, to: &mut [u16; 2 * LANES]) {
        // SAFETY: see the type; 32 numbers of 2 bytes are written of 32.
        unsafe {
            let pair: __m512i =
                std::mem::transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(high.0, low.0));
            _mm512_storeu_si512(to.as_mut_ptr().cast(), pair);
        }
    }

    #[inline(always)]
    fn add_products(self, a: &[u16; 2 * LANES], b: &[u16; 2 * LANES]) -> Self {
        // SAFETY: see the type; 32 numbers of 2 bytes are read of 32 each, and all bits are such
        // numbers.
        unsafe {
            let [a, b] = [a, b].map(|numbers| {
                let numbers = _mm512_loadu_si512(numbers.as_ptr().cast());
                std::mem::transmute::<__m512i, __m512bh>(numbers)
            });
            Self(_mm512_dpbf16_ps(self.0, a, b))
        }
    }

    #[inline(always)]
    fn widen(from: &[u16; LANES]) -> Self {
        // SAFETY: see the type; 16 numbers of 2 bytes are read of 16.
        unsafe {
            let half = _mm256_loadu_si256(from.as_ptr().cast());
            Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(
                _mm512_cvtepu16_epi32(half),
            )))
        }
    }

    #[inline(always)]
    fn widen_pair(from: &[u16; 2 * LANES]) -> (Self, Self) {
        // SAFETY: see the type; 32 numbers of 2 bytes are read of 32.
        unsafe {
            let both = _mm512_loadu_si512(from.as_ptr().cast());
            let widen = |half| {
                Self(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(
                    _mm512_cvtepu16_epi32(half),
                )))
            };
            (
                widen(_mm512_castsi512_si256(both)),
                widen(_mm512_extracti64x4_epi64::<1>(both)),
            )
        }
    }
}
