//! The kernel of the horizontal pass: one output pixel of four rows.

use super::quad::{HALF, Quad, ROWS, to_byte};

/// A way to compute weighted sums of pixels; every way gives the same bytes.
pub(super) trait Lanes: Copy {
    /// Weighted sums of the windows of four rows. A window has two pixels for each weight pair.
    fn weigh(self, weights: &[[i32; 8]], windows: [&[Quad]; ROWS]) -> [Quad; ROWS];
}

/// Plain loops, for any processor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plain;

impl Lanes for Plain {
    #[inline(always)]
    fn weigh(self, weights: &[[i32; 8]], windows: [&[Quad]; ROWS]) -> [Quad; ROWS] {
        windows.map(|window| {
            let mut sums = [HALF; 4];
            for (pair, two) in weights.iter().zip(window.chunks_exact(2)) {
                for c in 0..4 {
                    let first = pair[0].wrapping_mul(i32::from(two[0][c]));
                    let second = pair[4].wrapping_mul(i32::from(two[1][c]));
                    sums[c] = sums[c].wrapping_add(first).wrapping_add(second);
                }
            }
            sums.map(to_byte)
        })
    }
}

/// Eight sums in a register: two pixels at once.
#[cfg(target_arch = "x86_64")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Avx2(pub(super) pulp::x86::V3);

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    #[inline(always)]
    fn weigh(self, weights: &[[i32; 8]], windows: [&[Quad]; ROWS]) -> [Quad; ROWS] {
        use crate::image::filter::PRECISION_BITS;
        use pulp::cast;

        let simd = self.0;
        let (sse, avx, avx2) = (simd.sse2, simd.avx, simd.avx2);
        let zero = avx._mm256_setzero_si256();
        let [mut s0, mut s1, mut s2, mut s3] = [zero; ROWS];
        let count = weights.len();
        let [w0, w1, w2, w3] = windows.map(|w| &w.as_flattened().as_chunks::<8>().0[..count]);
        for i in 0..count {
            let weight = cast(weights[i]);
            macro_rules! add {
                ($sum:ident, $pairs:ident) => {
                    let bytes = sse._mm_set_epi64x(0, i64::from_le_bytes($pairs[i]));
                    let wide = avx2._mm256_cvtepu8_epi32(bytes);
                    $sum = avx2._mm256_add_epi32($sum, avx2._mm256_mullo_epi32(weight, wide));
                };
            }
            add!(s0, w0);
            add!(s1, w1);
            add!(s2, w2);
            add!(s3, w3);
        }
        macro_rules! total {
            ($sum:ident) => {{
                let high = avx2._mm256_extracti128_si256::<1>($sum);
                let both = sse._mm_add_epi32(avx._mm256_castsi256_si128($sum), high);
                let rounded = sse._mm_add_epi32(both, sse._mm_set1_epi32(HALF));
                sse._mm_srai_epi32::<{ PRECISION_BITS as i32 }>(rounded)
            }};
        }
        let low = sse._mm_packs_epi32(total!(s0), total!(s1));
        let high = sse._mm_packs_epi32(total!(s2), total!(s3));
        cast(sse._mm_packus_epi16(low, high)) // saturates at 0 and 255
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::print_stderr)] // a test that did not run says so
    fn plain_and_avx2_give_the_same_bytes() {
        let Some(simd) = pulp::x86::V3::try_new() else {
            let _ = std::io::Write::write_fmt(
                &mut std::io::stderr(),
                format_args!("SKIPPED: this processor has no AVX2\n"),
            );
            return;
        };
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        for pairs in [1, 2, 5, 40] {
            let rows: [Vec<Quad>; ROWS] = std::array::from_fn(|_| {
                (0..2 * pairs)
                    .map(|_| std::array::from_fn(|_| next() as u8))
                    .collect()
            });
            let weights: Vec<[i32; 8]> = (0..pairs)
                .map(|_| {
                    let (a, b) = (
                        next() as i32 % 5_000_000 - 1_000_000,
                        next() as i32 % 900_000,
                    );
                    [a, a, a, a, b, b, b, b]
                })
                .collect();
            let windows = std::array::from_fn(|r| rows[r].as_slice());
            let plain = Plain.weigh(&weights, windows);
            assert_eq!(plain, Avx2(simd).weigh(&weights, windows), "{pairs} pairs");
        }
    }
}
