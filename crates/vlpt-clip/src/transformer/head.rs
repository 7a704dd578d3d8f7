//! From the tokens that stand for texts or images to features.

use vlpt_kernels::{Arena, Buffer, LayerNorm, Linear, Operand, Precision};

/// The last layer norm and the projection into the joint space: few rows, so always in f32.
#[derive(Debug)]
pub(crate) struct Head {
    norm: LayerNorm,
    projection: Linear,
}

impl Head {
    /// `projection`: width x embed.
    pub(crate) fn new(norm: LayerNorm, embed: usize, projection: &[f32]) -> Self {
        let width = norm.width();
        assert_eq!(projection.len(), width * embed, "projection of a tower");
        let column = |j: usize| (0..width).map(move |i| projection[i * embed + j]);
        let weight = (0..embed).flat_map(column).collect();
        Self {
            projection: Linear::new(Precision::F32, width, embed, weight, None),
            norm,
        }
    }

    /// Length of a feature.
    pub(crate) fn embed(&self) -> usize {
        self.projection.outputs()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.norm.bytes() + self.projection.bytes()
    }

    /// Features (rows x embed) of `x` (rows x width).
    pub(crate) fn forward(&self, x: &[f32]) -> Vec<f32> {
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        let mut features = vec![0.0; x.len() / self.norm.width() * self.embed()];
        self.projection
            .forward_into(Operand::F32(&h), &mut features);
        features
    }

    /// Gradient of `x`.
    pub(crate) fn backward(&self, arena: &Arena, x: &[f32], d_features: &[f32]) -> Buffer<f32> {
        let mut dh = arena.floats(x.len());
        self.projection
            .backward_into(Operand::F32(d_features), &mut dh);
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        self.norm.backward_add(x, &dh, &mut dx);
        dx
    }
}
