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

    /// The projection, width x embed: what it makes of the rows of the identity, which is exact.
    pub(crate) fn projection(&self) -> Vec<f32> {
        let width = self.norm.width();
        let mut identity = vec![0.0; width * width];
        identity
            .iter_mut()
            .step_by(width + 1)
            .for_each(|one| *one = 1.0);
        let mut projection = vec![0.0; width * self.embed()];
        self.projection
            .forward_into(Operand::F32(&identity), &mut projection);
        projection
    }

    /// Features (rows x embed) of `x` (rows x width), under an adaptation where there is one.
    pub(crate) fn forward(&self, x: &[f32], held: Option<&Held>) -> Vec<f32> {
        let projection = held.and_then(|held| held.projection.as_deref());
        self.project(&self.normed(x, held), projection)
    }

    /// Features (rows x embed) of what is projected (rows x width), by the tower's own projection or
    /// another one (width x embed).
    pub(crate) fn project(&self, h: &[f32], other: Option<&[f32]>) -> Vec<f32> {
        let (width, embed) = (self.norm.width(), self.embed());
        let rows = h.len() / width;
        let mut features = vec![0.0; rows * embed];
        match other {
            None => self.projection.forward_into(Operand::F32(h), &mut features),
            Some(other) => {
                let sizes = (rows, embed, width);
                matrix_product(sizes, (h, false), (other, false), &mut features);
            }
        }
        features
    }

    /// One feature for each `count` rows of `x` (rows x width): their mean after the norm, projected
    /// by what the adaptation has for it.
    pub(crate) fn forward_pooled(&self, x: &[f32], count: usize, held: &Held) -> Vec<f32> {
        let Some(projection) = &held.row_projection else {
            return Vec::new();
        };
        let (width, embed) = (self.norm.width(), self.embed());
        let h = mean_of_rows(&self.normed(x, Some(held)), count, width);
        let rows = h.len() / width;
        let mut features = vec![0.0; rows * embed];
        let sizes = (rows, embed, width);
        matrix_product(sizes, (&h, false), (projection, false), &mut features);
        features
    }

    /// Gradient of the `x` of [`FeatureProjection::forward_pooled`]; adds those of what the adaptation
    /// has here.
    pub(crate) fn backward_pooled(
        &self,
        arena: &Arena,
        x: &[f32],
        count: usize,
        d_features: &[f32],
        held: &Held,
        gradients: &mut TowerGradients,
    ) -> Buffer<f32> {
        let (width, embed) = (self.norm.width(), self.embed());
        let rows = d_features.len() / embed;
        let mut dh = arena.floats(x.len());
        if let (Some(projection), Some(d_projection)) =
            (&held.row_projection, &mut gradients.row_projection)
        {
            let h = mean_of_rows(&self.normed(x, Some(held)), count, width);
            let mut d = vec![0.0; width * embed];
            let sizes = (width, embed, rows);
            matrix_product(sizes, (&h, true), (d_features, false), &mut d);
            add(d_projection, &d);
            let mut d_mean = vec![0.0; rows * width];
            let sizes = (rows, width, embed);
            matrix_product(sizes, (d_features, false), (projection, true), &mut d_mean);
            let each = d_mean
                .chunks_exact(width)
                .flat_map(|d| std::iter::repeat_n(d, count));
            for (dh, d) in dh.chunks_exact_mut(width).zip(each) {
                for (dh, d) in dh.iter_mut().zip(d) {
                    *dh = d / count as f32;
                }
            }
        } else {
            dh.fill(0.0);
        }
        let (stages, _) = self.stages(x, held);
        self.norm_backward(arena, x, dh, stages, held, gradients)
    }

    /// What is projected (rows x width): the last layer norm of `x`, under an adaptation where there
    /// is one.
    pub(crate) fn normed(&self, x: &[f32], held: Option<&Held>) -> Vec<f32> {
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        for (scale, shift) in held.iter().flat_map(|held| final_norm(held)) {
            ScaleShift { scale, shift }.forward(&mut h, Columns::all(self.norm.width()));
        }
        h
    }

    /// What goes into each change of the norm's output, and what comes out of the last one.
    fn stages(&self, x: &[f32], held: &Held) -> (Vec<Vec<f32>>, Vec<f32>) {
        let mut stages = Vec::new();
        let mut h = x.to_vec();
        self.norm.forward(&mut h);
        for (scale, shift) in final_norm(held) {
            stages.push(h.clone());
            ScaleShift { scale, shift }.forward(&mut h, Columns::all(self.norm.width()));
        }
        (stages, h)
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
        let (stages, h) = if held.changes_head() {
            self.stages(x, held)
        } else {
            Default::default()
        };
        let mut dh = arena.floats(x.len());
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
        self.norm_backward(arena, x, dh, stages, held, gradients)
    }

    /// Gradient of what goes into the norm, given that of what comes out of its changes, and what goes
    /// into each of them; adds theirs.
    fn norm_backward(
        &self,
        arena: &Arena,
        x: &[f32],
        mut dh: Buffer<f32>,
        mut stages: Vec<Vec<f32>>,
        held: &Held,
        gradients: &mut TowerGradients,
    ) -> Buffer<f32> {
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
                let columns = Columns::all(self.norm.width());
                change.backward(arena, &h, &mut dh, columns, (d_scale, d_shift));
            }
        }
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        self.norm.backward_add(x, &dh, &mut dx);
        dx
    }
}

/// The mean of each `count` rows.
fn mean_of_rows(rows: &[f32], count: usize, width: usize) -> Vec<f32> {
    let mut means = Vec::with_capacity(rows.len() / count);
    for rows in rows.chunks_exact(count * width) {
        let mut mean = vec![0.0; width];
        for row in rows.chunks_exact(width) {
            add(&mut mean, row);
        }
        means.extend(mean.iter().map(|sum| sum / count as f32));
    }
    means
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
