//! Gradients of a block's layers that have updates, one by one.

use vlpt_kernels::{Arena, Buffer, Columns, Matrix};

use super::backward::{AttentionGradient, InputParts};
use super::updates::LayerInput;
use super::{Adapting, Block, QueryRows};
use crate::adaptation::{LayerName, UpdateGradient};
use crate::transformer::gradient::Gradient;
use crate::transformer::tape::Projected;

impl Block {
    /// Through the second layer of the MLP and the activation, whose input has the gradient that
    /// comes back.
    pub(super) fn fc2_backward(
        &self,
        arena: &Arena,
        rows: &Matrix,
        derivative: &Matrix,
        dy: &Gradient,
        (query_rows, adapting): (QueryRows, Adapting),
        gradients: &mut [UpdateGradient],
    ) -> Matrix {
        let m = rows.rows();
        let mut d_before = self.matrix(arena, m, self.mlp);
        let columns = Columns::all(self.width);
        let updates = adapting.of_layer(LayerName::Fc2, query_rows.rows(), columns);
        if updates.is_empty() {
            self.fc2
                .backward_scaled(dy.operand(), derivative, &mut d_before);
            return d_before;
        }
        let mut act = self.matrix(arena, m, self.mlp);
        self.activate(arena, rows, query_rows, adapting, None, &mut act);
        let (mut d, mut own) = (arena.copy(dy.floats()), Self::zeros(arena, m, self.mlp));
        updates.backward(
            arena,
            LayerInput::plain(&act),
            |y| self.fc2.forward_into(act.operand(), y),
            &mut d,
            Some(&mut own),
            gradients,
        );
        let d = Gradient::new(arena, self.precision, self.width, d);
        self.fc2
            .backward_scaled(d.operand(), derivative, &mut d_before);
        d_before.add_scaled(&own, derivative);
        d_before
    }

    /// Through the updates of the first layer of the MLP: turns `d` into the gradient of the frozen
    /// layer's output; gives that of the standardised rows.
    pub(super) fn fc1_backward(
        &self,
        arena: &Arena,
        rows: &Matrix,
        d: &mut Matrix,
        (query_rows, adapting): (QueryRows, Adapting),
        gradients: &mut [UpdateGradient],
    ) -> Option<Buffer<f32>> {
        let columns = Columns::all(self.mlp);
        let updates = adapting.of_layer(LayerName::Fc1, query_rows.rows(), columns);
        if updates.is_empty() {
            return None;
        }
        let mut own = Self::zeros(arena, rows.rows(), self.width);
        let mut floats = d.operand().widened(arena, self.mlp);
        updates.backward(
            arena,
            LayerInput::behind_norm(rows, &self.affine_2),
            |y| self.fc1.forward_into(rows.operand(), y),
            &mut floats,
            Some(&mut own),
            gradients,
        );
        if updates.scale() {
            d.set(&floats);
        }
        Some(own)
    }

    /// Through the output projection, to the attention's output.
    pub(super) fn out_backward(
        &self,
        arena: &Arena,
        projected: &Projected,
        dy: &Gradient,
        attended: &AttentionGradient,
        (query_rows, adapting): (QueryRows, Adapting),
        gradients: &mut [UpdateGradient],
    ) -> Matrix {
        let (w, m) = (self.width, projected.q.rows());
        let mut d_out = self.matrix(arena, m, w);
        let updates = adapting.of_layer(LayerName::Out, query_rows.rows(), Columns::all(w));
        if updates.is_empty() {
            self.out.backward(dy.operand(), &mut d_out);
            return d_out;
        }
        let mut o = self.matrix(arena, m, w);
        let AttentionGradient {
            attention, common, ..
        } = attended;
        attention.forward(&projected.q, &projected.kv, common, &mut o);
        let (mut d, mut own) = (arena.copy(dy.floats()), Self::zeros(arena, m, w));
        updates.backward(
            arena,
            LayerInput::plain(&o),
            |y| self.out.forward_into(o.operand(), y),
            &mut d,
            Some(&mut own),
            gradients,
        );
        let d = Gradient::new(arena, self.precision, w, d);
        self.out.backward(d.operand(), &mut d_out);
        d_out.add(&own);
        d_out
    }

    /// Through the updates of queries, keys and values.
    pub(super) fn projections_backward(
        &self,
        arena: &Arena,
        rows: &Matrix,
        (dq, dkv): (&mut Matrix, &mut Matrix),
        (query_rows, adapting): (QueryRows, Adapting),
        wants: bool,
        gradients: &mut [UpdateGradient],
    ) -> InputParts {
        let w = self.width;
        let mut parts = InputParts::default();
        let updates = adapting.of_layer(LayerName::Q, query_rows.rows(), Columns::all(w));
        if !updates.is_empty() {
            let picked = query_rows
                .rows()
                .map(|picked| Matrix::gather(arena, rows, picked));
            let asks = picked.as_ref().unwrap_or(rows);
            let mut d = dq.operand().widened(arena, w);
            let mut own = wants.then(|| Self::zeros(arena, asks.rows(), w));
            updates.backward(
                arena,
                LayerInput::behind_norm(asks, &self.affine_1),
                |y| self.q.forward_into(asks.operand(), y),
                &mut d,
                own.as_deref_mut(),
                gradients,
            );
            if updates.scale() {
                dq.set(&d);
            }
            parts.q = own;
        }
        let has = |layer| !adapting.updates.of_layer(layer).is_empty();
        if has(LayerName::K) || has(LayerName::V) {
            let mut d = dkv.operand().widened(arena, 2 * w);
            parts.kv = self.keys_updates_backward(arena, rows, &mut d, adapting, wants, gradients);
            dkv.set(&d);
        }
        parts
    }

    /// Through the updates of keys and values: turns `d` (rows x (2 width)) into the gradient of the
    /// frozen layer's output; gives that of the standardised rows where it is wanted.
    pub(super) fn keys_updates_backward(
        &self,
        arena: &Arena,
        rows: &Matrix,
        d: &mut [f32],
        adapting: Adapting,
        wants: bool,
        gradients: &mut [UpdateGradient],
    ) -> Option<Buffer<f32>> {
        let mut own = None;
        for layer in [LayerName::K, LayerName::V] {
            let updates = adapting.of_layer(layer, None, self.key_columns(layer));
            if updates.is_empty() {
                continue;
            }
            if wants && own.is_none() {
                own = Some(Self::zeros(arena, rows.rows(), self.width));
            }
            updates.backward(
                arena,
                LayerInput::behind_norm(rows, &self.affine_1),
                |y| self.kv.forward_into(rows.operand(), y),
                d,
                own.as_deref_mut(),
                gradients,
            );
        }
        own
    }
}
