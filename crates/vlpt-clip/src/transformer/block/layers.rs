//! The layers of a block, with their updates where they have some.

use vlpt_kernels::{Arena, Buffer, Columns, Matrix};

use super::updates::{Affine, LayerInput, LayerUpdates};
use super::{Adapting, Block, QueryRows};
use crate::adaptation::LayerName;
use crate::transformer::tape::Projected;

impl Block {
    /// Queries of those that ask, and keys and values of all, whose standardised rows are given.
    pub(super) fn project(
        &self,
        arena: &Arena,
        rows: &Matrix,
        query_rows: QueryRows,
        adapting: Adapting,
    ) -> Projected {
        let kv = self.project_keys(arena, rows, adapting);
        let picked = query_rows
            .rows()
            .map(|picked| Matrix::gather(arena, rows, picked));
        let asks = picked.as_ref().unwrap_or(rows);
        let mut q = self.matrix(arena, asks.rows(), self.width);
        let updates = adapting.of_layer(LayerName::Q, query_rows.rows(), Columns::all(self.width));
        if updates.is_empty() {
            self.q.forward(asks.operand(), &mut q);
        } else {
            let mut floats = arena.floats(asks.rows() * self.width);
            self.q.forward_into(asks.operand(), &mut floats);
            updates.apply(LayerInput::behind_norm(asks, &self.affine_1), &mut floats);
            q.set(&floats);
        }
        Projected { q, kv }
    }

    /// Keys and values of tokens whose standardised rows are given.
    pub(super) fn project_keys(&self, arena: &Arena, rows: &Matrix, adapting: Adapting) -> Matrix {
        let mut kv = self.matrix(arena, rows.rows(), 2 * self.width);
        let updates = [LayerName::K, LayerName::V]
            .map(|layer| adapting.of_layer(layer, None, self.key_columns(layer)));
        if updates.iter().all(LayerUpdates::is_empty) {
            self.kv.forward(rows.operand(), &mut kv);
        } else {
            let mut floats = arena.floats(rows.rows() * 2 * self.width);
            self.kv.forward_into(rows.operand(), &mut floats);
            for updates in updates {
                updates.apply(LayerInput::behind_norm(rows, &self.affine_1), &mut floats);
            }
            kv.set(&floats);
        }
        kv
    }

    pub(super) fn norm_1(&self) -> (LayerName, &Affine) {
        (LayerName::Ln1, &self.affine_1)
    }

    pub(super) fn norm_2(&self) -> (LayerName, &Affine) {
        (LayerName::Ln2, &self.affine_2)
    }

    /// Where keys, or values, lie in a row of both.
    pub(super) fn key_columns(&self, layer: LayerName) -> Columns {
        Columns {
            width: 2 * self.width,
            first: if layer == LayerName::V { self.width } else { 0 },
        }
    }

    /// The MLP's activation of standardised rows, and its derivative.
    pub(super) fn activate(
        &self,
        arena: &Arena,
        rows: &Matrix,
        query_rows: QueryRows,
        adapting: Adapting,
        derivative: Option<&mut Matrix>,
        act: &mut Matrix,
    ) {
        if let Some(sums) = self.updated_sums(arena, rows, query_rows, adapting) {
            self.activation.forward_rows(&sums, act);
            if let Some(derivative) = derivative {
                self.activation.derivative_rows(&sums, derivative);
            }
        } else {
            self.fc1
                .forward_activated(self.activation, rows.operand(), derivative, act);
        }
    }

    /// What the activation reads, where the layer before it has updates.
    pub(super) fn updated_sums(
        &self,
        arena: &Arena,
        rows: &Matrix,
        query_rows: QueryRows,
        adapting: Adapting,
    ) -> Option<Buffer<f32>> {
        let updates = adapting.of_layer(LayerName::Fc1, query_rows.rows(), Columns::all(self.mlp));
        (!updates.is_empty()).then(|| {
            let mut sums = arena.floats(rows.rows() * self.mlp);
            self.fc1.forward_into(rows.operand(), &mut sums);
            updates.apply(LayerInput::behind_norm(rows, &self.affine_2), &mut sums);
            sums
        })
    }
}
