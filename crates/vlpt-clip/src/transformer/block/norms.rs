//! Scale and shift of a block's layer norms, whose weights are folded into the layers behind them.
//!
//! With a norm's output `h = weight z + bias` and the folded layer `W h + b = W' z + b'`, a changed output
//! `scale h + shift` is that layer's of the rows `scale z + (bias (scale - 1) + shift) / weight`: frozen
//! weights stay as they are, and the rows that they read change.

use vlpt_kernels::{Arena, Columns, Matrix, ScaleShift};

use super::updates::Affine;
use super::{Adapting, Block};
use crate::adaptation::{HeldKind, LayerName, UpdateGradient};

/// Scales and shifts of a norm with their places among all updates, in their order.
struct NormUpdates<'a>(Vec<(usize, ScaleShift<'a>)>);

impl<'a> NormUpdates<'a> {
    fn new(adapting: Adapting<'a>, layer: LayerName) -> Self {
        let own = adapting.updates.of_layer(layer).into_iter();
        let scales = own.filter_map(|(place, kind)| match kind {
            HeldKind::ScaleShift { scale, shift } => Some((place, ScaleShift { scale, shift })),
            HeldKind::LowRank { .. } => None,
        });
        Self(scales.collect())
    }

    /// One scale and shift that do what all of them do.
    fn together(&self, width: usize) -> (Vec<f32>, Vec<f32>) {
        let (mut scale, mut shift) = (vec![1.0; width], vec![0.0; width]);
        for (_, own) in &self.0 {
            for (i, (scale, shift)) in scale.iter_mut().zip(&mut shift).enumerate() {
                *shift = *shift * own.scale[i] + own.shift[i];
                *scale *= own.scale[i];
            }
        }
        (scale, shift)
    }
}

impl Block {
    /// Weight and bias of one of its layer norms; none for another layer.
    pub(crate) fn norm(&self, layer: LayerName) -> Option<(&[f32], &[f32])> {
        let affine = match layer {
            LayerName::Ln1 => &self.affine_1,
            LayerName::Ln2 => &self.affine_2,
            _ => return None,
        };
        Some((&affine.weight, &affine.bias))
    }

    /// The standardised rows `z` as the layers behind the norm read them, where the norm changes.
    ///
    /// # Panics
    /// When a weight of the norm is 0: what is behind it then has no input that a shift could change.
    pub(super) fn changed_rows(
        &self,
        arena: &Arena,
        z: &Matrix,
        (layer, affine): (LayerName, &Affine),
        adapting: Adapting,
    ) -> Option<Matrix> {
        let updates = NormUpdates::new(adapting, layer);
        if updates.0.is_empty() {
            return None;
        }
        affine.assert_no_zero();
        let (scale, mut shift) = updates.together(self.width);
        for (i, shift) in shift.iter_mut().enumerate() {
            *shift = (affine.bias[i] * (scale[i] - 1.0) + *shift) / affine.weight[i];
        }
        let mut rows = z.operand().widened(arena, self.width);
        let change = ScaleShift {
            scale: &scale,
            shift: &shift,
        };
        change.forward(&mut rows, Columns::all(self.width));
        let mut changed = self.matrix(arena, z.rows(), self.width);
        changed.set(&rows);
        Some(changed)
    }

    /// Turns the gradient `d` of the changed rows into that of the standardised rows `z`, and adds those
    /// of scale and shift.
    pub(super) fn changed_rows_backward(
        &self,
        arena: &Arena,
        z: &Matrix,
        (layer, affine): (LayerName, &Affine),
        adapting: Adapting,
        d: &mut [f32],
        gradients: &mut [UpdateGradient],
    ) {
        let updates = NormUpdates::new(adapting, layer);
        let columns = Columns::all(self.width);
        let zeros = vec![0.0; self.width];
        let scaled_by = |scale: &[f32], x: &mut [f32]| {
            let shift = &zeros;
            ScaleShift { scale, shift }.forward(x, columns);
        };
        let mut h = z.operand().widened(arena, self.width);
        let norm = ScaleShift {
            scale: &affine.weight,
            shift: &affine.bias,
        };
        norm.forward(&mut h, columns);
        let mut stages = Vec::new();
        for (_, update) in &updates.0 {
            stages.push(arena.copy(&h));
            update.forward(&mut h, columns);
        }
        let inverse: Vec<f32> = affine.weight.iter().map(|weight| 1.0 / weight).collect();
        scaled_by(&inverse, d);
        for ((place, update), h) in updates.0.iter().zip(stages).rev() {
            if let UpdateGradient::ScaleShift { scale, shift } = &mut gradients[*place] {
                update.backward(arena, &h, d, columns, (scale, shift));
            }
        }
        scaled_by(&affine.weight, d);
    }
}
