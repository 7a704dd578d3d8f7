//! Gradients of a block.

use vlpt_kernels::{Arena, Linear, Matrix, Operand, scatter_add_rows};

use super::{Asking, Block, Wanted};
use crate::transformer::gradient::Gradient;
use crate::transformer::pick;
use crate::transformer::tape::{BlockTape, NormTape, Projected};

impl Block {
    /// Gradient of the `x` of [`Block::keys`].
    pub(crate) fn keys_backward(&self, arena: &Arena, x: &[f32], d_kv: &[f32]) -> Vec<f32> {
        let d_kv = Gradient::new(arena, self.precision, 2 * self.width, arena.copy(d_kv));
        let mut dh = arena.floats(x.len());
        self.kv.backward_into(d_kv.operand(), &mut dh);
        let mut dx = arena.floats(x.len());
        dx.fill(0.0);
        let mut dx = Gradient::unrounded(arena, self.precision, self.width, dx);
        let h = self.standardised(arena, self.ln_1, x);
        h.backward_add(self.ln_1, Operand::F32(&dh), &mut dx);
        dx.floats().to_vec()
    }

    /// The slope of the activation, given the standardised rows before the MLP.
    fn slope(&self, arena: &Arena, rows: &Matrix) -> Matrix {
        let mut slope = self.matrix(arena, rows.rows(), self.mlp);
        self.fc1
            .forward_slope(self.activation, rows.operand(), &mut slope);
        slope
    }

    /// Gradient of the wanted tokens (their rows alone, in the order wanted), given that of the
    /// tokens that asked. `attend(q, kv, d_out, dq, dkv)` writes the gradients of attention.
    pub(crate) fn backward(
        &self,
        arena: &Arena,
        tape: BlockTape,
        asking: Asking,
        wanted: Wanted,
        mut dy: Gradient,
        attend: impl FnOnce(&Matrix, &Matrix, &Matrix, &mut Matrix, &mut Matrix),
    ) -> Gradient {
        let BlockTape {
            ln_1,
            ln_2,
            projected,
            slope,
        } = tape;
        let (w, n, m) = (self.width, ln_1.rows.rows(), ln_2.rows.rows());
        let slope = slope.unwrap_or_else(|| self.slope(arena, &ln_2.rows));
        let mut d_before = self.matrix(arena, m, self.mlp);
        self.fc2
            .backward_scaled(dy.operand(), &slope, &mut d_before);
        drop(slope);
        let mut dh = self.matrix(arena, m, w);
        self.fc1.backward(d_before.operand(), &mut dh);
        drop(d_before);
        ln_2.backward_add(self.ln_2, dh.operand(), &mut dy);
        drop(dh);
        let mut d_out = self.matrix(arena, m, w);
        self.out.backward(dy.operand(), &mut d_out);
        let (mut dq, mut dkv) = (self.matrix(arena, m, w), self.matrix(arena, n, 2 * w));
        let Projected { q, kv } =
            projected.unwrap_or_else(|| self.project(arena, &ln_1.rows, asking));
        attend(&q, &kv, &d_out, &mut dq, &mut dkv);
        drop((q, kv, d_out));
        match (wanted, asking) {
            (Wanted::None, _) => Gradient::new(arena, self.precision, w, arena.floats(0)),
            (Wanted::All, asking) => self.input_backward(arena, &ln_1, asking, dy, &dq, &dkv),
            (Wanted::Rows(rows), Asking::All) => {
                let ln_1 = ln_1.gather(arena, rows);
                let dy = Gradient::new(arena, self.precision, w, pick(arena, dy.floats(), w, rows));
                let (dq, dkv) = (
                    Matrix::gather(arena, &dq, rows),
                    Matrix::gather(arena, &dkv, rows),
                );
                self.input_backward(arena, &ln_1, Asking::All, dy, &dq, &dkv)
            }
            (Wanted::Rows(rows), asking) => {
                let all = self.input_backward(arena, &ln_1, asking, dy, &dq, &dkv);
                Gradient::new(arena, self.precision, w, pick(arena, all.floats(), w, rows))
            }
        }
    }

    /// Through the query, key and value layers and the first layer norm, to the input.
    fn input_backward(
        &self,
        arena: &Arena,
        tape: &NormTape,
        asking: Asking,
        dy: Gradient,
        dq: &Matrix,
        dkv: &Matrix,
    ) -> Gradient {
        let (w, n) = (self.width, tape.rows.rows());
        match asking {
            Asking::All => {
                let mut dh = self.matrix(arena, n, w);
                let terms = [(&self.q, dq.operand()), (&self.kv, dkv.operand())];
                Linear::backward_sum(terms, &mut dh);
                let mut dx = dy;
                tape.backward_add(self.ln_1, dh.operand(), &mut dx);
                dx
            }
            Asking::Rows(rows) => {
                let mut dh = arena.floats(n * w);
                self.kv.backward_into(dkv.operand(), &mut dh);
                let mut d_asking = arena.floats(rows.len() * w);
                self.q.backward_into(dq.operand(), &mut d_asking);
                scatter_add_rows(&d_asking, w, rows, &mut dh);
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
