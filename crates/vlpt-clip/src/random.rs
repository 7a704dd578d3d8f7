//! Random weights whose features are not degenerate.

use vlpt_base::random::SplitMix64;

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
    let mut draw = Normal(SplitMix64::new(seed));
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
struct Normal(SplitMix64);

impl Normal {
    fn values(&mut self, count: usize, deviation: f32) -> Vec<f32> {
        (0..count)
            .map(|_| deviation * self.0.irwin_hall())
            .collect()
    }

    fn norm(&mut self, width: usize) -> LayerNormWeights {
        let weight = (0..width)
            .map(|_| 1.0 + 0.1 * self.0.irwin_hall())
            .collect();
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
    fn the_seed_decides_every_number() {
        let draw = |seed| Normal(SplitMix64::new(seed)).values(10, 1.0);
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
    }
}
