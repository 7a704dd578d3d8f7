//! Streams with a name.

use super::SplitMix64;

/// A deterministic stream of random numbers, named by a seed and a purpose (`"coop.ctx"`), so that
/// adding a parameter to a model does not change the initial values of another. Normal values are
/// those of the Box-Muller transform in `f64`.
#[derive(Debug, Clone)]
pub struct Stream {
    words: SplitMix64,
    /// The second value of the last transform.
    spare: Option<f64>,
}

impl Stream {
    /// The stream that belongs to `seed` and `purpose`; every seed, 0 too, gives its own.
    pub fn new(seed: u64, purpose: &str) -> Self {
        // FNV-1a over the purpose, mixed with the seed by one step of the generator.
        let name = purpose
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let state = SplitMix64::new(seed).next_u64() ^ name;
        Self {
            words: SplitMix64::new(state),
            spare: None,
        }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.words.next_u64()
    }

    /// The next number in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        self.words.uniform()
    }

    /// The next value of the standard normal distribution.
    pub fn normal(&mut self) -> f64 {
        if let Some(value) = self.spare.take() {
            return value;
        }
        // 1 - uniform lies in (0, 1], where the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let angle = std::f64::consts::TAU * self.uniform();
        self.spare = Some(radius * angle.sin());
        radius * angle.cos()
    }

    /// `count` values of the normal distribution with mean 0 and the given standard deviation.
    pub fn normals(&mut self, count: usize, deviation: f64) -> Vec<f32> {
        (0..count)
            .map(|_| (self.normal() * deviation) as f32)
            .collect()
    }

    /// `count` values of the uniform distribution between `-bound` and `bound`.
    pub fn uniforms(&mut self, count: usize, bound: f64) -> Vec<f32> {
        (0..count)
            .map(|_| ((2.0 * self.uniform() - 1.0) * bound) as f32)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_seed_and_purpose() {
        let draw = |seed, purpose| Stream::new(seed, purpose).normals(4, 1.0);
        assert_eq!(draw(0, "a"), draw(0, "a"));
        assert_ne!(draw(0, "a"), draw(1, "a"));
        assert_ne!(draw(0, "a"), draw(0, "b"));
    }

    #[test]
    fn a_name_gives_the_numbers_it_always_gave() {
        // Initial values of prompts hang on these.
        let mut stream = Stream::new(0, "coop.ctx");
        let found = [stream.next_u64(), stream.next_u64()];
        assert_eq!(found, [0xa44f_d37d_14c4_552c, 0xae27_6ad2_eae2_393e]);
        let values = Stream::new(3, "a").normals(3, 1.0);
        let bits: Vec<u32> = values.iter().map(|v| v.to_bits()).collect();
        assert_eq!(bits, [0xbfae_d58f, 0x3f9d_1fae, 0x3f38_c542]);
    }

    #[test]
    fn normal_values_have_the_moments_of_the_normal_distribution() {
        let values = Stream::new(7, "moments").normals(100_000, 0.02);
        let n = values.len() as f64;
        let mean = values.iter().map(|&v| f64::from(v)).sum::<f64>() / n;
        let moment = |p| {
            values
                .iter()
                .map(|&v| (f64::from(v) - mean).powi(p))
                .sum::<f64>()
                / n
        };
        let deviation = moment(2).sqrt();
        assert!(mean.abs() < 3e-4, "mean {mean}");
        assert!((deviation - 0.02).abs() < 2e-4, "deviation {deviation}");
        assert!(
            (moment(4) / deviation.powi(4) - 3.0).abs() < 0.1,
            "kurtosis"
        );
    }

    #[test]
    fn uniform_values_fill_their_range_evenly() {
        let values = Stream::new(7, "range").uniforms(100_000, 0.5);
        assert!(values.iter().all(|v| v.abs() <= 0.5));
        let moment = |p: i32| {
            values.iter().map(|&v| f64::from(v).powi(p)).sum::<f64>() / values.len() as f64
        };
        assert!(moment(1).abs() < 3e-3, "mean {}", moment(1));
        // The variance of a uniform distribution over a range of length 1.
        assert!((moment(2) - 1.0 / 12.0).abs() < 5e-4, "variance");
    }
}
