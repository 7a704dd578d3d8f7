//! The softmax of rows of scores.

use crate::math::exp;
use crate::simd::vectorised;

/// Partial sums and maxima of a row, one for each lane of the widest vectors: a sum has the same
/// order at every level.
const LANES: usize = 16;

/// Turns each row of `scores` (rows x width) into its softmax `exp(s) / sum(exp(s))`, on the calling
/// thread. `logs` gets each row's `ln(sum(exp(s)))`, from which the score of a class less that is the
/// logarithm of its probability.
///
/// Probabilities are within a few units in the last place; scores that are 87 below the row's largest
/// have the probability 0. A row with a score that is no number, or that is infinite, becomes no numbers, and
/// so does its logarithm.
///
/// # Panics
/// When `width` is 0, or `scores` is not one row for each of `logs`.
pub fn softmax(scores: &mut [f32], width: usize, logs: &mut [f32]) {
    assert_eq!(scores.len(), logs.len() * width, "rows of a softmax");
    for (row, log) in scores.chunks_exact_mut(width).zip(logs) {
        softmax_row(row, log);
    }
}

vectorised! {
    fn softmax_row(row: &mut [f32], log: &mut f32) {
        let mut tops = [f32::NEG_INFINITY; LANES];
        let (blocks, tail) = row.as_chunks::<LANES>();
        for block in blocks {
            for lane in 0..LANES {
                tops[lane] = if block[lane] > tops[lane] { block[lane] } else { tops[lane] };
            }
        }
        let mut top = f32::NEG_INFINITY;
        for &score in tops.iter().chain(tail) {
            top = if score > top { score } else { top };
        }

        let mut sums = [0.0_f32; LANES];
        let (blocks, tail) = row.as_chunks_mut::<LANES>();
        for block in blocks {
            for lane in 0..LANES {
                block[lane] = exp(block[lane] - top);
                sums[lane] += block[lane];
            }
        }
        for (lane, score) in tail.iter_mut().enumerate() {
            *score = exp(*score - top);
            sums[lane] += *score;
        }
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                sums[lane] += sums[lane + width];
            }
            width /= 2;
        }
        *log = top + sums[0].ln();
        let share = 1.0 / sums[0];
        for power in row {
            *power *= share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(row: &[f32]) -> (Vec<f64>, f64) {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers: Vec<f64> = row
            .iter()
            .map(|&s| (f64::from(s) - f64::from(top)).exp())
            .collect();
        let sum: f64 = powers.iter().sum();
        let shares = powers.iter().map(|p| p / sum).collect();
        (shares, f64::from(top) + sum.ln())
    }

    #[test]
    fn each_row_is_the_softmax_of_its_scores() {
        for width in [1, 2, 15, 16, 17, 100, 1000] {
            let rows = 3;
            let scores: Vec<f32> = (0..rows * width)
                .map(|i| 30.0 * (i as f32 * 0.7).sin() + 50.0)
                .collect();
            let (mut found, mut logs) = (scores.clone(), vec![0.0; rows]);
            softmax(&mut found, width, &mut logs);
            let each = scores.chunks_exact(width).zip(found.chunks_exact(width));
            for ((row, found), log) in each.zip(logs) {
                let (expected, expected_log) = reference(row);
                // A score up to 60 below the largest is rounded to f32 before its power is taken: 60 half
                // units in the last place, 3.6e-6 of the power.
                for (&f, e) in found.iter().zip(expected) {
                    assert!(
                        (f64::from(f) - e).abs() <= 5e-6 * e + 1e-37,
                        "{width}: {f} {e}"
                    );
                }
                assert!((f64::from(log) - expected_log).abs() < 1e-5, "{width}");
            }
        }
    }

    #[test]
    fn what_is_no_number_is_not_hidden() {
        for wrong in [f32::NAN, f32::INFINITY] {
            for at in [0, 20] {
                let mut scores = vec![1.0; 21];
                scores[at] = wrong;
                let mut logs = [0.0];
                softmax(&mut scores, 21, &mut logs);
                assert!(logs[0].is_nan() && scores[at].is_nan(), "{wrong} at {at}");
            }
        }
        let mut least = [0.0, f32::NEG_INFINITY, -90.0];
        let mut logs = [0.0];
        softmax(&mut least, 3, &mut logs);
        assert_eq!((least, logs), ([1.0, 0.0, 0.0], [0.0]));
    }

    #[test]
    #[should_panic(expected = "rows of a softmax")]
    fn a_row_has_one_logarithm() {
        softmax(&mut [0.0; 6], 3, &mut [0.0]);
    }
}
