//! Exponential and error function, written so that loops over them become vector code.
//!
//! The polynomials are minimax fits (Chebyshev interpolation in 40 digits, rounded to f32) made for
//! this crate.

use std::f32::consts::LOG2_E;

/// ln 2 in two parts: the first has few bits, so that a small integer times it is exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;
/// Adding it to a small f32 leaves the nearest integer in the low bits.
const ROUND: f32 = 12_582_912.0;

/// `exp(x)`, within 2 units in the last place; 0 below -87, and no larger than `exp(88)`.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let clamped = x.clamp(-87.0, 88.0);
    let shifted = clamped.mul_add(LOG2_E, ROUND);
    let whole = shifted - ROUND;
    let r = whole.mul_add(-LN_2_LOW, whole.mul_add(-LN_2_HIGH, clamped));
    let p = 1.392_692_7e-3_f32
        .mul_add(r, 8.363_774e-3)
        .mul_add(r, 4.166_655e-2)
        .mul_add(r, 1.666_657_3e-1)
        .mul_add(r, 0.5);
    let mantissa = p.mul_add(r * r, r) + 1.0;
    let exp = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if x < -87.0 { 0.0 } else { mantissa * exp }
}

/// The error function, within 2e-7.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let (t, s) = (x.abs().min(4.0), x * x);
    let inner = 7.875_875e-5_f32
        .mul_add(s, -8.016_864e-4)
        .mul_add(s, 5.189_087e-3)
        .mul_add(s, -2.685_421_4e-2)
        .mul_add(s, 1.128_359_4e-1)
        .mul_add(s, -3.761_262_6e-1)
        .mul_add(s, 1.283_791_7e-1);
    let tail = (-1.340_531_4e-5_f32)
        .mul_add(t, 3.193_605e-4)
        .mul_add(t, -3.450_798_3e-3)
        .mul_add(t, 2.268_059e-2)
        .mul_add(t, -1.034_623_5e-1)
        .mul_add(t, -6.388_9e-1)
        .mul_add(t, -1.126_080_4)
        .mul_add(t, -7.086_987e-4);
    let outer = (1.0 - exp(tail)).copysign(x);
    if t < 1.0 { x.mul_add(inner, x) } else { outer }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_right_to_two_units_in_the_last_place() {
        for i in -86_999..88_000 {
            let x = i as f32 * 1e-3;
            let (got, want) = (exp(x) as f64, (x as f64).exp());
            assert!(
                (got - want).abs() <= want * 2.4e-7,
                "exp({x}) = {got}, not {want}"
            );
        }
        assert_eq!((exp(-100.0), exp(0.0)), (0.0, 1.0));
        assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    }

    #[test]
    fn erf_agrees_with_known_values() {
        // Abramowitz and Stegun, table 7.1
        let table = [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_878),
            (0.9, 0.796_908_212),
            (1.0, 0.842_700_793),
            (1.2, 0.910_313_978),
            (1.5, 0.966_105_146),
            (2.0, 0.995_322_265),
            (3.0, 0.999_977_91),
            (5.0, 1.0),
        ];
        for (x, want) in table {
            assert!((erf(x) as f64 - want).abs() < 2e-7, "erf({x}) = {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
    }

    #[test]
    fn erf_has_no_step_where_its_two_pieces_meet() {
        let (below, above) = (erf(1.0 - 1e-6), erf(1.0 + 1e-6));
        assert!((above - below).abs() < 1.2e-6, "{below} and {above}");
    }
}
