//! Sums in one fixed order.

use crate::shape::{fold, size};

/// Accumulators of a sum: it is taken in that many interleaved parts, which one vector
/// instruction after another can add to. A constant, so that the result is the same on every
/// processor.
const LANES: usize = 32;

/// The sum of all values: that of each lane, the lanes by halves, then what is left over.
///
/// Interleaved parts are quicker than one sum, and their rounding errors are smaller.
pub(crate) fn sum(values: &[f32]) -> f32 {
    let mut lanes = [0.0; LANES];
    let whole = values.chunks_exact(LANES);
    let rest = whole.remainder();
    for values in whole {
        for (lane, value) in lanes.iter_mut().zip(values) {
            *lane += value;
        }
    }
    // four vectors of 8 lanes to one, its halves to 4 lanes, neighbours to the sum
    let mut eight = [0.0; 8];
    for (i, sum) in eight.iter_mut().enumerate() {
        *sum = (lanes[i] + lanes[i + 8]) + (lanes[i + 16] + lanes[i + 24]);
    }
    let mut four = [0.0; 4];
    for (i, sum) in four.iter_mut().enumerate() {
        *sum = eight[i] + eight[i + 4];
    }
    let lanes = (four[0] + four[1]) + (four[2] + four[3]);
    rest.iter().fold(lanes, |sum, value| sum + value)
}

/// Values of the shape `from` summed to the shape `to`, which broadcasts to `from`. Sums over the
/// last axes are [`sum`]s of rows; over others, one value after another is added.
pub(crate) fn sum_to(values: &[f32], from: &[usize], to: &[usize]) -> Vec<f32> {
    if from == to {
        return values.to_vec();
    }
    let missing = from.len() - to.len();
    let kept = |axis: usize| axis >= missing && to[axis - missing] == from[axis];
    let first = (0..from.len()).rev().take_while(|&axis| !kept(axis)).last();
    match first {
        Some(first) if (0..first).all(kept) => {
            let row = size(&from[first..]);
            let of_row = |i: usize| sum(&values[i * row..(i + 1) * row]);
            (0..size(to)).map(of_row).collect()
        }
        _ => fold(values, from, to),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_has_every_value_once() {
        for count in [0, 1, 7, 8, 31, 32, 33, 64, 100, 1000] {
            // powers of 2 and small whole numbers, so that every order gives the same
            let values: Vec<f32> = (0..count).map(|i| (i % 13) as f32 - 4.0).collect();
            let expected: f64 = values.iter().map(|&v| f64::from(v)).sum();
            assert_eq!(f64::from(sum(&values)), expected, "{count} values");
        }
    }

    #[test]
    fn a_sum_is_more_exact_than_one_value_after_another() {
        let values = vec![0.1_f32; 4_000_000];
        let exact = f64::from(0.1_f32) * 4e6;
        let error = |sum: f32| (f64::from(sum) - exact).abs();
        let plain = values.iter().sum::<f32>();
        assert!(error(sum(&values)) < 0.1 * error(plain));
    }

    #[test]
    fn axes_at_the_end_and_elsewhere_are_summed() {
        let values: Vec<f32> = (0..24).map(|i| i as f32).collect();
        let shape = [2, 3, 4];
        assert_eq!(
            sum_to(&values, &shape, &[2, 3, 1]),
            [6.0, 22.0, 38.0, 54.0, 70.0, 86.0]
        );
        assert_eq!(sum_to(&values, &shape, &[2, 1, 1]), [66.0, 210.0]);
        assert_eq!(sum_to(&values, &shape, &[]), [276.0]);
        assert_eq!(sum_to(&values, &shape, &[4]), [60.0, 66.0, 72.0, 78.0]);
        assert_eq!(
            sum_to(&values, &shape, &[2, 1, 4]),
            [12.0, 15.0, 18.0, 21.0, 48.0, 51.0, 54.0, 57.0]
        );
        assert_eq!(sum_to(&values, &shape, &shape), values);
    }
}
