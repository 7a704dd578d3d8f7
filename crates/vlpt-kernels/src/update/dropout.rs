//! Dropout whose mask is a function of the place alone.

use crate::simd::vectorised;

/// Inverted dropout of rows: a number is kept with probability `1 - rate` and divided by it.
///
/// Whether a number is kept depends on the seed, on the key of its row and on its column, so it is
/// the same whatever rows are beside it and in whatever order they are computed.
#[derive(Clone, Copy, Debug)]
pub struct Dropout<'a> {
    /// Probability that a number is dropped, below 1.
    pub rate: f32,
    /// Of the whole mask.
    pub seed: u64,
    /// A key for each row.
    pub keys: &'a [u64],
}

impl Dropout<'_> {
    /// Drops numbers of `x`, row number `row`.
    pub(super) fn apply(&self, row: usize, x: &mut [f32]) {
        let start = hash(&[self.seed, self.keys[row]]);
        let most = (f64::from(self.rate) * 2f64.powi(32)) as u64;
        drop_numbers(x, start, most, 1.0 / (1.0 - self.rate));
    }
}

/// The step of the SplitMix64 generator.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A hash of some numbers, by the output function of SplitMix64 after each.
pub fn hash(numbers: &[u64]) -> u64 {
    numbers
        .iter()
        .fold(0, |state, number| mix((state ^ number).wrapping_add(STEP)))
}

/// The output function of SplitMix64.
#[inline(always)]
fn mix(state: u64) -> u64 {
    let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

vectorised! {
    /// Two numbers from each 64 bits: those whose half is below `most` are dropped.
    fn drop_numbers(x: &mut [f32], start: u64, most: u64, scale: f32) {
        for (i, pair) in x.chunks_mut(2).enumerate() {
            let bits = mix(start.wrapping_add(STEP.wrapping_mul(i as u64)));
            for (x, half) in pair.iter_mut().zip([bits & 0xffff_ffff, bits >> 32]) {
                *x = if half < most { 0.0 } else { *x * scale };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(rate: f32, seed: u64, key: u64, columns: usize) -> Vec<f32> {
        let mut x = vec![1.0; columns];
        let keys = [key];
        Dropout {
            rate,
            seed,
            keys: &keys,
        }
        .apply(0, &mut x);
        x
    }

    #[test]
    fn about_as_many_numbers_as_the_rate_says_are_dropped_and_the_others_grow() {
        let rows: Vec<f32> = (0..100).flat_map(|key| mask(0.25, 7, key, 101)).collect();
        let dropped = rows.iter().filter(|x| **x == 0.0).count();
        let share = dropped as f32 / rows.len() as f32;
        assert!((share - 0.25).abs() < 0.015, "{share}");
        assert!(rows.iter().all(|x| *x == 0.0 || *x == 1.0 / 0.75));
        assert_eq!(mask(0.0, 7, 1, 9), [1.0; 9]);
    }

    #[test]
    fn the_mask_depends_on_seed_key_and_column_alone() {
        let one = mask(0.5, 1, 2, 64);
        assert_eq!(one, mask(0.5, 1, 2, 64));
        assert_eq!(one[..40], mask(0.5, 1, 2, 40));
        assert_ne!(one, mask(0.5, 2, 2, 64));
        assert_ne!(one, mask(0.5, 1, 3, 64));
        assert_ne!(hash(&[1, 2]), hash(&[2, 1]));
    }
}
