//! The generator behind every synthetic picture: SplitMix64, keyed by what is drawn.
//!
//! Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators* (2014). It is not the
//! generator of the few-shot samples: a picture needs its own short stream, cheap to start.

/// A stream of numbers that depends on its key alone.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of a list of words; any different word or order gives an unrelated stream.
    pub(super) fn keyed(words: &[u64]) -> Self {
        let mut stream = Self {
            state: 0x005E_ED0F_D2A3_11C5,
        };
        for &word in words {
            stream.state = stream.bits() ^ word.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            stream.bits();
        }
        stream
    }

    /// 64 random bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub(super) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A whole number below `n`, which is at least 1 and small, so that the bias is far below what
    /// a picture shows.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }
}
