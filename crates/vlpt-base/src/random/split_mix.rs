//! The generator itself.

/// Twice the fractional part of the golden ratio, made odd: the step of the counter.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
/// 2014): a counter whose values are mixed. It costs nothing to start, so that anything may have a
/// generator of its own.
#[derive(Debug, Clone)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    /// The generator whose counter starts at `seed`. Every seed is good, 0 too.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The generator that belongs to a list of words: any other word or order gives an unrelated
    /// one. `start` keeps lists of different purposes apart.
    pub fn keyed(start: u64, words: &[u64]) -> Self {
        let mut generator = Self::new(start);
        for &word in words {
            generator.state = generator.next_u64() ^ word.wrapping_mul(GAMMA);
            generator.next_u64();
        }
        generator
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number in `[0, 1)`, with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The next whole number below `n`, which is at least 1: the upper half of a 128-bit product.
    /// Its bias, `n / 2^64`, is far below what any number of draws could show.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next_u64()) * n as u128) >> 64) as usize
    }

    /// The next number of about the normal distribution with mean 0 and deviation 1, bounded by 6:
    /// the sum of twelve uniform numbers less six (the Irwin-Hall distribution). It is made of sums
    /// of 16-bit numbers alone, so that no machine's logarithm changes a bit.
    pub fn irwin_hall(&mut self) -> f32 {
        let mut sum = 0;
        for _ in 0..3 {
            let bits = self.next_u64();
            sum += (0..4)
                .map(|part| (bits >> (16 * part)) & 0xffff)
                .sum::<u64>();
        }
        ((sum + 6) as f64 / 65536.0 - 6.0) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_published_ones() {
        let first = |seed, count| -> Vec<u64> {
            let mut generator = SplitMix64::new(seed);
            (0..count).map(|_| generator.next_u64()).collect()
        };
        assert_eq!(first(0, 2), [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        assert_eq!(
            first(1234567, 3),
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423
            ]
        );
    }

    #[test]
    fn a_key_is_told_by_its_words_and_their_order() {
        let first = |words: &[u64]| SplitMix64::keyed(5, words).next_u64();
        assert_eq!(first(&[1, 2]), first(&[1, 2]));
        assert_ne!(first(&[1, 2]), first(&[2, 1]));
        assert_ne!(first(&[1, 2]), first(&[1, 2, 0]));
        assert_ne!(first(&[1]), SplitMix64::keyed(6, &[1]).next_u64());
    }

    #[test]
    fn numbers_below_a_bound_reach_all_of_it() {
        let mut generator = SplitMix64::new(1);
        let mut counts = [0; 5];
        for _ in 0..5000 {
            counts[generator.below(5)] += 1;
        }
        assert!(counts.iter().all(|c| (850..1150).contains(c)), "{counts:?}");
    }

    #[test]
    fn sums_of_twelve_have_mean_zero_and_deviation_one() {
        let mut generator = SplitMix64::new(7);
        let values: Vec<f32> = (0..100_000).map(|_| generator.irwin_hall()).collect();
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let square = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((square - 1.0).abs() < 0.02, "{square}");
    }
}
