//! Random weights whose features are not degenerate.

use crate::config::ClipConfig;
use crate::weights::{
    BlockWeights, ClipWeights, LayerNormWeights, LinearWeights, TextWeights, VisionWeights,
};

/// Logit scale of a new model: the logarithm of 1 / 0.07.
const LOGIT_SCALE: f32 = 2.659_26;

/// Weights with CLIP's scales of initialisation: embeddings 0.02 and 0.01, a block's matrices by
/// its width and depth, projections by the width. Layer norms start near one and biases near
/// zero, not at them, so that a mistake in either shows.
pub(crate) fn weights(config: &ClipConfig, seed: u64) -> ClipWeights {
    let mut draw = Normal { state: seed };
    let (text, vision, embed) = (&config.text, &config.vision, config.embed_dim);
    let root = |width: usize| (width as f32).powf(-0.5);
    let text = TextWeights {
        token_embedding: draw.values(text.vocab_size * text.width, 0.02),
        positional_embedding: draw.values(text.context_length * text.width, 0.01),
        blocks: (0..text.layers)
            .map(|_| draw.block(text.width, text.mlp, text.layers))
            .collect(),
        ln_final: draw.norm(text.width),
        projection: draw.values(text.width * embed, root(text.width)),
    };
    let patch = 3 * vision.patch_size * vision.patch_size;
    let (width, mlp, layers) = (vision.width, vision.mlp, vision.layers);
    let vision = VisionWeights {
        patch: draw.values(width * patch, root(patch)),
        class_embedding: draw.values(width, root(width)),
        positional_embedding: draw.values(vision.tokens() * width, root(width)),
        ln_pre: draw.norm(width),
        blocks: (0..layers)
            .map(|_| draw.block(width, mlp, layers))
            .collect(),
        ln_post: draw.norm(width),
        projection: draw.values(width * embed, root(width)),
    };
    ClipWeights {
        text,
        vision,
        logit_scale: LOGIT_SCALE,
    }
}

/// Normal numbers from a counter: the same on every machine.
struct Normal {
    state: u64,
}

impl Normal {
    /// SplitMix64.
    fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The sum of twelve uniform numbers less six: deviation 1, bounded, and made of sums of
    /// 16-bit numbers alone, so that no machine's logarithm changes a bit.
    fn one(&mut self) -> f32 {
        let mut sum = 0;
        for _ in 0..3 {
            let bits = self.bits();
            sum += (0..4)
                .map(|part| (bits >> (16 * part)) & 0xffff)
                .sum::<u64>();
        }
        ((sum + 6) as f64 / 65536.0 - 6.0) as f32
    }

    fn values(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        (0..count).map(|_| deviation * self.one()).collect()
    }

    fn norm(&mut self, width: usize) -> LayerNormWeights {
        let weight = (0..width).map(|_| 1.0 + 0.1 * self.one()).collect();
        LayerNormWeights {
            weight,
            bias: self.values(width, 0.02),
        }
    }

    fn linear(&mut self, out: usize, into: usize, deviation: f32) -> LinearWeights {
        LinearWeights {
            weight: self.values(out * into, deviation),
            bias: self.values(out, 0.02),
        }
    }

    fn block(&mut self, width: usize, mlp: usize, layers: usize) -> BlockWeights {
        let attention = (width as f32).powf(-0.5);
        let into_stream = attention * (2.0 * layers as f32).powf(-0.5);
        let hidden = (2.0 * width as f32).powf(-0.5);
        BlockWeights {
            ln_1: self.norm(width),
            qkv: self.linear(3 * width, width, attention),
            out: self.linear(width, width, into_stream),
            ln_2: self.norm(width),
            fc1: self.linear(mlp, width, hidden),
            fc2: self.linear(width, mlp, into_stream),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_mean_zero_and_deviation_one() {
        let values = Normal { state: 7 }.values(100_000, 1.0);
        let mean = values.iter().sum::<f32>() / values.len() as f32;
        let square = values.iter().map(|v| v * v).sum::<f32>() / values.len() as f32;
        assert!(mean.abs() < 0.02, "{mean}");
        assert!((square - 1.0).abs() < 0.02, "{square}");
    }

    #[test]
    fn the_seed_decides_every_number() {
        let draw = |state| Normal { state }.values(10, 1.0);
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
    }
}
