//! The generator of initial values: small, own, and the same on every run.
//!
//! A stream is named by a seed and a text (`"coop.ctx"`), so that adding a parameter to a method
//! does not change the initial values of another. Words come from `SplitMix64` (Steele, Lea and
//! Flood, 2014), normal values from the Box-Muller transform in `f64`.

/// A deterministic stream of random numbers.
#[derive(Debug, Clone)]
pub struct Stream {
    state: u64,
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
        let mut mixer = Self {
            state: seed,
            spare: None,
        };
        let state = mixer.next_u64() ^ name;
        Self { state, spare: None }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number in [0, 1), with 53 random bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
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

    #[test]
    fn words_are_those_of_splitmix64() {
        // The reference sequence of SplitMix64 started at 0.
        let mut stream = Stream {
            state: 0,
            spare: None,
        };
        assert_eq!(stream.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(stream.next_u64(), 0x6e78_9e6a_a1b9_65f4);
    }
}
