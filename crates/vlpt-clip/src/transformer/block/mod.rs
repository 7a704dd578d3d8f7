//! One pre-norm residual block: `x += out(attention(ln_1(x)))`, `x += fc2(act(fc1(ln_2(x))))`.

mod backward;

use std::time::Instant;

use vlpt_kernels::{Activation, Arena, Buffer, Linear, Matrix, Precision, Standardize};

use super::tape::{BlockTape, Costs, Keep, NormTape, Projected, TapeBytes};
use super::{layer_norm, pick};
use crate::weights::{BlockWeights, LinearWeights};

/// A frozen block. What attends to what is the caller's: the block gives queries, keys and values.
///
/// Weights and biases of its layer norms are folded into the layers that read them.
#[derive(Debug)]
pub(crate) struct Block {
    precision: Precision,
    width: usize,
    mlp: usize,
    activation: Activation,
    ln_1: Standardize,
    q: Linear,
    kv: Linear,
    out: Linear,
    ln_2: Standardize,
    fc1: Linear,
    fc2: Linear,
}

/// The tokens that ask and go on through the MLP; all others only lend their keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    All,
    Rows(&'a [u32]),
}

/// What a pass keeps for backward, and where it counts how long that took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taping<'a> {
    pub(crate) keep: Keep,
    pub(crate) costs: &'a Costs,
}

/// The tokens whose gradient is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    None,
    All,
    Rows(&'a [u32]),
}

impl Block {
    pub(crate) fn new(
        precision: Precision,
        width: usize,
        mlp: usize,
        activation: Activation,
        eps: f32,
        weights: BlockWeights,
    ) -> Self {
        let fold = |norm, layer: &mut LinearWeights| {
            layer_norm(norm, eps).fold_into(&mut layer.weight, &mut layer.bias)
        };
        let (mut qkv, mut fc1) = (weights.qkv, weights.fc1);
        let (ln_1, ln_2) = (fold(weights.ln_1, &mut qkv), fold(weights.ln_2, &mut fc1));
        let LinearWeights {
            weight: mut q,
            bias: mut q_bias,
        } = qkv;
        let (kv, kv_bias) = (q.split_off(width * width), q_bias.split_off(width));
        q.shrink_to_fit();
        let linear = |inputs, outputs, LinearWeights { weight, bias }| {
            Linear::new(precision, inputs, outputs, weight, Some(bias))
        };
        Self {
            precision,
            width,
            mlp,
            activation,
            ln_1,
            q: Linear::new(precision, width, width, q, Some(q_bias)),
            kv: Linear::new(precision, width, 2 * width, kv, Some(kv_bias)),
            out: linear(width, width, weights.out),
            ln_2,
            fc1: linear(width, mlp, fc1),
            fc2: linear(mlp, width, weights.fc2),
        }
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn bytes(&self) -> usize {
        let linear = [&self.q, &self.kv, &self.out, &self.fc1, &self.fc2];
        linear.iter().map(|layer| layer.bytes()).sum()
    }

    /// Bytes of the tape for `n` tokens of which `m` ask.
    pub(crate) fn tape_bytes(&self, n: usize, m: usize) -> TapeBytes {
        let matrix = |rows, width| Matrix::bytes(self.precision, rows, width);
        let norm = |rows| matrix(rows, self.width) + rows * size_of::<f32>();
        TapeBytes {
            rows: norm(n) + norm(m),
            projected: matrix(m, self.width) + matrix(n, 2 * self.width),
            slope: matrix(m, self.mlp),
        }
    }

    /// Keys and values (rows x 2 width) of tokens that do nothing else here.
    pub(crate) fn keys(&self, arena: &Arena, x: &[f32]) -> Matrix {
        let h = self.standardised(arena, self.ln_1, x);
        let mut kv = self.matrix(arena, h.rows.rows(), 2 * self.width);
        self.kv.forward(h.rows.operand(), &mut kv);
        kv
    }

    /// The tokens that ask, after the block, and the tape where there is one. `attend(q, kv, out)`
    /// writes the attention of the queries (rows x width), given all keys and values (rows x
    /// (2 width)).
    pub(crate) fn forward(
        &self,
        arena: &Arena,
        x: Buffer<f32>,
        asking: Asking,
        taping: Option<Taping>,
        attend: impl FnOnce(&Matrix, &Matrix, &mut Matrix),
    ) -> (Buffer<f32>, Option<BlockTape>) {
        let keep = taping.map(|taping| taping.keep);
        let ln_1 = self.standardised(arena, self.ln_1, &x);
        let began = Instant::now();
        let projected = self.project(arena, &ln_1.rows, asking);
        if let Some(taping) = taping {
            taping.costs.count_projected(began);
        }
        let mut x = match asking {
            Asking::All => x,
            Asking::Rows(rows) => pick(arena, &x, self.width, rows),
        };
        let m = x.len() / self.width;
        let ln_1 = keep.map(|_| ln_1); // or its memory is there for what comes next
        let mut o = self.matrix(arena, m, self.width);
        attend(&projected.q, &projected.kv, &mut o);
        let projected = keep.is_some_and(|keep| keep.projected).then_some(projected);
        self.out.forward_add(o.operand(), &mut x);
        drop(o);
        let ln_2 = self.standardised(arena, self.ln_2, &x);
        let mut slope = keep
            .is_some_and(|keep| keep.slope)
            .then(|| self.matrix(arena, m, self.mlp));
        let mut act = self.matrix(arena, m, self.mlp);
        let began = Instant::now();
        self.fc1.forward_activated(
            self.activation,
            ln_2.rows.operand(),
            slope.as_mut(),
            &mut act,
        );
        if let Some(taping) = taping {
            taping.costs.count_slope(began);
        }
        self.fc2.forward_add(act.operand(), &mut x);
        let tape = ln_1.map(|ln_1| BlockTape {
            ln_1,
            ln_2,
            projected,
            slope,
        });
        (x, tape)
    }

    /// Queries of those that ask, and keys and values of all, whose standardised rows are given.
    fn project(&self, arena: &Arena, rows: &Matrix, asking: Asking) -> Projected {
        let mut kv = self.matrix(arena, rows.rows(), 2 * self.width);
        self.kv.forward(rows.operand(), &mut kv);
        let picked = match asking {
            Asking::All => None,
            Asking::Rows(picked) => Some(Matrix::gather(arena, rows, picked)),
        };
        let asks = picked.as_ref().unwrap_or(rows);
        let mut q = self.matrix(arena, asks.rows(), self.width);
        self.q.forward(asks.operand(), &mut q);
        Projected { q, kv }
    }

    fn standardised(&self, arena: &Arena, norm: Standardize, x: &[f32]) -> NormTape {
        let n = x.len() / self.width;
        let mut tape = NormTape {
            rows: self.matrix(arena, n, self.width),
            scales: arena.floats(n),
        };
        norm.forward(x, &mut tape.rows, &mut tape.scales);
        tape
    }

    fn matrix(&self, arena: &Arena, rows: usize, width: usize) -> Matrix {
        Matrix::new(arena, self.precision, rows, width)
    }
}
