//! Gradients of a block.

use vlpt_kernels::{Arena, Attention, Buffer, Linear, Matrix, Operand, add, scatter_add_rows};

use super::{Adapting, Block, GradientRows, QueryRows};
use crate::adaptation::UpdateGradient;
use crate::transformer::gradient::Gradient;
use crate::transformer::pick;
use crate::transformer::tape::{BlockTape, NormTape, Projected};

/// The attention of a block whose gradient is taken.
pub(crate) struct AttentionGradient<'a> {
    pub(crate) attention: Attention<'a>,
    /// Keys and values that the plan has in common, and where their gradient is summed.
    pub(crate) common: &'a Matrix,
    pub(crate) d_common: &'a mut [f32],
}

/// Gradients of the input of the query layer, and of that of keys and values, from their updates.
#[derive(Default)]
pub(super) struct InputParts {
    pub(super) q: Option<Buffer<f32>>,
    pub(super) kv: Option<Buffer<f32>>,
}

impl Block {
    /// Gradient of the `x` of [`Block::keys`]; adds those of the updates.
    pub(crate) fn keys_backward(
        &self,
        arena: &Arena,
        x: &[f32],
        d_kv: &[f32],
        adapting: Adapting,
        updates: &mut [UpdateGradient],
    ) -> Vec<f32> {
        let h = self.standardised(arena, self.ln_1, x);
        let changed = self.changed_rows(arena, &h.rows, self.norm_1(), adapting);
        let rows = changed.as_ref().unwrap_or(&h.rows);
        let mut d_kv = arena.copy(d_kv);
        let own = self.keys_updates_backward(arena, rows, &mut d_kv, adapting, true, updates);
        let d_kv = Gradient::new(arena, self.precision, 2 * self.width, d_kv);
        let mut dh = arena.floats(x.len());
        self.kv.backward_into(d_kv.operand(), &mut dh);
        if let Some(own) = own {
            add(&mut dh, &own);
        }
        if changed.is_some() {
            let norm = self.norm_1();
            self.changed_rows_backward(arena, &h.rows, norm, adapting, &mut dh, updates);
        }
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        let mut dx = Gradient::unrounded(arena, self.precision, self.width, dx);
        h.backward_add(self.ln_1, Operand::F32(&dh), &mut dx);
        dx.floats().to_vec()
    }

    /// The derivative of the activation, given the standardised rows before the MLP.
    fn derivative(
        &self,
        arena: &Arena,
        rows: &Matrix,
        query_rows: QueryRows,
        adapting: Adapting,
    ) -> Matrix {
        let mut derivative = self.matrix(arena, rows.rows(), self.mlp);
        if let Some(sums) = self.updated_sums(arena, rows, query_rows, adapting) {
            self.activation.derivative_rows(&sums, &mut derivative);
        } else {
            self.fc1
                .forward_derivative(self.activation, rows.operand(), &mut derivative);
        }
        derivative
    }

    /// Gradient of the wanted tokens (their rows alone, in the order wanted), given that of the
    /// tokens that asked; adds those of the updates.
    pub(crate) fn backward(
        &self,
        arena: &Arena,
        tape: BlockTape,
        query_rows: QueryRows,
        gradient_rows: GradientRows,
        adapting: Adapting,
        mut dy: Gradient,
        attended: AttentionGradient,
        updates: &mut [UpdateGradient],
    ) -> Gradient {
        let BlockTape {
            ln_1,
            ln_2,
            projected,
            derivative,
        } = tape;
        let (w, n, m) = (self.width, ln_1.rows.rows(), ln_2.rows.rows());
        let changed = self.changed_rows(arena, &ln_2.rows, self.norm_2(), adapting);
        let rows = changed.as_ref().unwrap_or(&ln_2.rows);
        let derivative =
            derivative.unwrap_or_else(|| self.derivative(arena, rows, query_rows, adapting));
        let mut d_before = self.fc2_backward(
            arena,
            rows,
            &derivative,
            &dy,
            (query_rows, adapting),
            updates,
        );
        drop(derivative);
        let own = self.fc1_backward(arena, rows, &mut d_before, (query_rows, adapting), updates);
        let mut dh = self.matrix(arena, m, w);
        self.fc1.backward(d_before.operand(), &mut dh);
        drop(d_before);
        if let Some(own) = own {
            dh.add(&own);
        }
        if changed.is_some() {
            let norm = self.norm_2();
            let mut d = dh.operand().widened(arena, w);
            self.changed_rows_backward(arena, &ln_2.rows, norm, adapting, &mut d, updates);
            dh.set(&d);
        }
        drop(changed);
        ln_2.backward_add(self.ln_2, dh.operand(), &mut dy);
        drop(dh);
        let changed = self.changed_rows(arena, &ln_1.rows, self.norm_1(), adapting);
        let rows = changed.as_ref().unwrap_or(&ln_1.rows);
        let projected =
            projected.unwrap_or_else(|| self.project(arena, rows, query_rows, adapting));
        let d_out = self.out_backward(
            arena,
            &projected,
            &dy,
            &attended,
            (query_rows, adapting),
            updates,
        );
        let (mut dq, mut dkv) = (self.matrix(arena, m, w), self.matrix(arena, n, 2 * w));
        let Projected { q, kv } = projected;
        let AttentionGradient {
            attention,
            common,
            d_common,
        } = attended;
        attention.backward(
            arena,
            (&q, &kv, common),
            &d_out,
            &mut dq,
            &mut dkv,
            d_common,
        );
        drop((q, kv, d_out));
        let wants = changed.is_some() || !matches!(gradient_rows, GradientRows::None);
        let own = self.projections_backward(
            arena,
            rows,
            (&mut dq, &mut dkv),
            (query_rows, adapting),
            wants,
            updates,
        );
        if changed.is_some() {
            // all rows count for the norm, whichever are wanted
            let change = Some((adapting, updates));
            let all = self.input_backward(arena, &ln_1, query_rows, dy, (&dq, &dkv), own, change);
            let rows = match gradient_rows {
                GradientRows::All => return all,
                GradientRows::None => &[],
                GradientRows::Rows(rows) => rows,
            };
            return Gradient::new(arena, self.precision, w, pick(arena, all.floats(), w, rows));
        }
        match (gradient_rows, query_rows) {
            (GradientRows::None, _) => Gradient::new(arena, self.precision, w, arena.floats(0)),
            (GradientRows::All, query_rows) => {
                self.input_backward(arena, &ln_1, query_rows, dy, (&dq, &dkv), own, None)
            }
            (GradientRows::Rows(rows), QueryRows::All) => {
                let ln_1 = ln_1.gather(arena, rows);
                let picked = |x: &[f32]| pick(arena, x, w, rows);
                let dy = Gradient::new(arena, self.precision, w, picked(dy.floats()));
                let (dq, dkv) = (
                    Matrix::gather(arena, &dq, rows),
                    Matrix::gather(arena, &dkv, rows),
                );
                let own = InputParts {
                    q: own.q.map(|part| picked(&part)),
                    kv: own.kv.map(|part| picked(&part)),
                };
                self.input_backward(arena, &ln_1, QueryRows::All, dy, (&dq, &dkv), own, None)
            }
            (GradientRows::Rows(rows), query_rows) => {
                let all = self.input_backward(arena, &ln_1, query_rows, dy, (&dq, &dkv), own, None);
                Gradient::new(arena, self.precision, w, pick(arena, all.floats(), w, rows))
            }
        }
    }

    /// Through the query, key and value layers and the first layer norm, to the input. Where the norm
    /// changes, all rows are there, and the gradients of its updates are added.
    fn input_backward(
        &self,
        arena: &Arena,
        tape: &NormTape,
        query_rows: QueryRows,
        dy: Gradient,
        (dq, dkv): (&Matrix, &Matrix),
        own: InputParts,
        change: Option<(Adapting, &mut [UpdateGradient])>,
    ) -> Gradient {
        let (w, n) = (self.width, tape.rows.rows());
        match query_rows {
            QueryRows::All => {
                let mut dh = self.matrix(arena, n, w);
                let terms = [(&self.q, dq.operand()), (&self.kv, dkv.operand())];
                Linear::backward_sum(terms, &mut dh);
                for part in [own.q, own.kv].into_iter().flatten() {
                    dh.add(&part);
                }
                if let Some((adapting, updates)) = change {
                    let mut d = dh.operand().widened(arena, w);
                    let (z, norm) = (&tape.rows, self.norm_1());
                    self.changed_rows_backward(arena, z, norm, adapting, &mut d, updates);
                    dh.set(&d);
                }
                let mut dx = dy;
                tape.backward_add(self.ln_1, dh.operand(), &mut dx);
                dx
            }
            QueryRows::Rows(rows) => {
                let mut dh = arena.floats(n * w);
                self.kv.backward_into(dkv.operand(), &mut dh);
                if let Some(part) = own.kv {
                    add(&mut dh, &part);
                }
                let mut d_asking = arena.floats(rows.len() * w);
                self.q.backward_into(dq.operand(), &mut d_asking);
                if let Some(part) = own.q {
                    add(&mut d_asking, &part);
                }
                scatter_add_rows(&d_asking, w, rows, &mut dh);
                if let Some((adapting, updates)) = change {
                    let (z, norm) = (&tape.rows, self.norm_1());
                    self.changed_rows_backward(arena, z, norm, adapting, &mut dh, updates);
                }
                let mut dx = arena.floats(n * w);
                dx.fill(0.0);
                scatter_add_rows(dy.floats(), w, rows, &mut dx);
                let mut dx = Gradient::unrounded(arena, self.precision, w, dx);
                tape.backward_add(self.ln_1, Operand::F32(&dh), &mut dx);
                dx
            }
        }
    }
}
