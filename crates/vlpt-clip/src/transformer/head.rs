//! From the tokens that stand for texts or images to features.

use vlpt_kernels::{
    Arena, Buffer, Columns, LayerNorm, Linear, Operand, Precision, ScaleShift, add, matrix_product,
};

use crate::adaptation::{Held, HeldKind, TowerGradients, UpdateGradient};

/// The last layer norm and the projection into the joint space: few rows, so always in f32.
#[derive(Debug)]
pub(crate) struct FeatureProjection {
    norm: LayerNorm,
    projection: Linear,
}

impl FeatureProjection {
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

    /// Weight and bias of the layer norm.
    pub(crate) fn norm(&self) -> (&[f32], &[f32]) {
        self.norm.affine()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.norm.bytes() + self.projection.bytes()
    }

    /// Features (rows x embed) of `x` (rows x width), under an adaptation where there is one.
    pub(crate) fn forward(&self, x: &[f32], held: Option<&Held>) -> Vec<f32> {
        let (width, embed) = (self.norm.width(), self.embed());
        let rows = x.len() / width;
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        for (scale, shift) in held.iter().flat_map(|held| final_norm(held)) {
            ScaleShift { scale, shift }.forward(&mut h, Columns::all(width));
        }
        let mut features = vec![0.0; rows * embed];
        match held.and_then(|held| held.projection.as_deref()) {
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

    /// Gradient of `x`; adds those of what the adaptation has here.
    pub(crate) fn backward(
        &self,
        arena: &Arena,
        x: &[f32],
        d_features: &[f32],
        held: &Held,
        gradients: &mut TowerGradients,
    ) -> Buffer<f32> {
        let (width, embed) = (self.norm.width(), self.embed());
        let rows = x.len() / width;
        // what goes into each change of the norm's output, and what comes out of the last one
        let mut stages = Vec::new();
        if held.changes_head() {
            let mut h = x.to_vec();
            self.norm.forward(&mut h);
            for (scale, shift) in final_norm(held) {
                stages.push(h.clone());
                ScaleShift { scale, shift }.forward(&mut h, Columns::all(width));
            }
            stages.push(h);
        }
        let mut dh = arena.floats(x.len());
        let h = stages.pop().unwrap_or_default();
        if let (Some(other), Some(d_projection)) = (&held.projection, &mut gradients.projection) {
            let mut d = vec![0.0; width * embed];
            let sizes = (width, embed, rows);
            matrix_product(sizes, (&h, true), (d_features, false), &mut d);
            add(d_projection, &d);
            let sizes = (rows, width, embed);
            matrix_product(sizes, (d_features, false), (other, true), &mut dh);
        } else {
            self.projection
                .backward_into(Operand::F32(d_features), &mut dh);
        }
        for (place, kind) in held.updates.of_final_norm().into_iter().rev() {
            if let (
                HeldKind::ScaleShift { scale, shift },
                UpdateGradient::ScaleShift {
                    scale: d_scale,
                    shift: d_shift,
                },
                Some(h),
            ) = (kind, &mut gradients.updates[place], stages.pop())
            {
                let change = ScaleShift { scale, shift };
                let columns = Columns::all(width);
                change.backward(arena, &h, &mut dh, columns, (d_scale, d_shift));
            }
        }
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        self.norm.backward_add(x, &dh, &mut dx);
        dx
    }
}

/// Scales and shifts of the last layer norm's output.
fn final_norm(held: &Held) -> Vec<(&[f32], &[f32])> {
    let updates = held.updates.of_final_norm().into_iter();
    updates
        .filter_map(|(_, kind)| match kind {
            HeldKind::ScaleShift { scale, shift } => Some((&scale[..], &shift[..])),
            HeldKind::LowRank { .. } => None,
        })
        .collect()
}
