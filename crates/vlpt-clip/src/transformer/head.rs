//! From the tokens that stand for texts or images to features.

use vlpt_kernels::{Arena, Buffer, LayerNorm, Linear, Operand, Precision, add, matrix_product};

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

    /// Features (rows x embed) of `x` (rows x width), by another projection (width x embed) where one
    /// is given.
    pub(crate) fn forward(&self, x: &[f32], other: Option<&[f32]>) -> Vec<f32> {
        let (width, embed) = (self.norm.width(), self.embed());
        let rows = x.len() / width;
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        let mut features = vec![0.0; rows * embed];
        match other {
            None => self
                .projection
                .forward_into(Operand::F32(&h), &mut features),
            Some(other) => {
                let sizes = (rows, embed, width);
                matrix_product(sizes, (&h, false), (other, false), &mut features);
            }
        }
        features
    }

    /// Gradient of `x`, given the other projection where there was one.
    pub(crate) fn backward(
        &self,
        arena: &Arena,
        x: &[f32],
        d_features: &[f32],
        other: Option<&[f32]>,
    ) -> Buffer<f32> {
        let mut dh = arena.floats(x.len());
        match other {
            None => self
                .projection
                .backward_into(Operand::F32(d_features), &mut dh),
            Some(other) => {
                let width = self.norm.width();
                let sizes = (x.len() / width, width, self.embed());
                matrix_product(sizes, (d_features, false), (other, true), &mut dh);
            }
        }
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        self.norm.backward_add(x, &dh, &mut dx);
        dx
    }

    /// Adds the gradient of a projection (width x embed).
    pub(crate) fn add_projection_gradient(
        &self,
        x: &[f32],
        d_features: &[f32],
        d_projection: &mut [f32],
    ) {
        let (width, embed) = (self.norm.width(), self.embed());
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        let mut d = vec![0.0; width * embed];
        let sizes = (width, embed, x.len() / width);
        matrix_product(sizes, (&h, true), (d_features, false), &mut d);
        add(d_projection, &d);
    }
}
