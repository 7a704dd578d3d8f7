//! One pre-norm residual block: `x += out(attention(ln_1(x)))`, `x += fc2(act(fc1(ln_2(x))))`.

mod backward;
mod layers;
mod layers_backward;
mod norms;
mod updates;

pub(crate) use backward::AttentionGradient;
pub(crate) use updates::Adapting;

use std::time::Instant;

use vlpt_kernels::{Activation, Arena, Buffer, Columns, Linear, Matrix, Precision, Standardize};

use super::tape::{BlockTape, CheckpointPolicy, NormTape, SavedActivations, TapeBytes};
use super::{layer_norm, pick};
use crate::adaptation::LayerName;
use crate::weights::{BlockWeights, LayerNormWeights, LinearWeights};
use updates::{Affine, LayerInput};

/// A frozen block. What attends to what is the caller's: the block gives queries, keys and values.
///
/// Weights and biases of its layer norms are folded into the layers that read them; what is learned
/// beside such a layer reads the norm's true output, for which they are kept.
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
    affine_1: Affine,
    affine_2: Affine,
}

/// The tokens that ask and go on through the MLP; all others only lend their keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum QueryRows<'a> {
    All,
    Rows(&'a [u32]),
}

/// What a pass keeps for backward, and where it counts how long that took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taping<'a> {
    pub(crate) keep: SavedActivations,
    pub(crate) checkpoints: &'a CheckpointPolicy,
}

/// The tokens whose gradient is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum GradientRows<'a> {
    None,
    All,
    Rows(&'a [u32]),
}

impl<'a> QueryRows<'a> {
    /// The rows that ask, where not all do.
    fn rows(self) -> Option<&'a [u32]> {
        match self {
            Self::All => None,
            Self::Rows(rows) => Some(rows),
        }
    }
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
        let affine = |norm: &LayerNormWeights| Affine {
            weight: norm.weight.clone(),
            bias: norm.bias.clone(),
        };
        let (affine_1, affine_2) = (affine(&weights.ln_1), affine(&weights.ln_2));
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
            affine_1,
            affine_2,
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
            derivative: matrix(m, self.mlp),
        }
    }

    /// Keys and values (rows x 2 width) of tokens that do nothing else here.
    pub(crate) fn keys(&self, arena: &Arena, x: &[f32], adapting: Adapting) -> Matrix {
        let h = self.standardised(arena, self.ln_1, x);
        let changed = self.changed_rows(arena, &h.rows, self.norm_1(), adapting);
        self.project_keys(arena, changed.as_ref().unwrap_or(&h.rows), adapting)
    }

    /// The tokens that ask, after the block, and the tape where there is one. `attend(q, kv, out)`
    /// writes the attention of the queries (rows x width), given all keys and values (rows x
    /// (2 width)).
    pub(crate) fn forward(
        &self,
        arena: &Arena,
        x: Buffer<f32>,
        query_rows: QueryRows,
        taping: Option<Taping>,
        adapting: Adapting,
        attend: impl FnOnce(&Matrix, &Matrix, &mut Matrix),
    ) -> (Buffer<f32>, Option<BlockTape>) {
        let keep = taping.map(|taping| taping.keep);
        let ln_1 = self.standardised(arena, self.ln_1, &x);
        let began = Instant::now();
        let changed = self.changed_rows(arena, &ln_1.rows, self.norm_1(), adapting);
        let rows = changed.as_ref().unwrap_or(&ln_1.rows);
        let projected = self.project(arena, rows, query_rows, adapting);
        drop(changed);
        if let Some(taping) = taping {
            taping.checkpoints.count_projected(began);
        }
        let mut x = match query_rows {
            QueryRows::All => x,
            QueryRows::Rows(rows) => pick(arena, &x, self.width, rows),
        };
        let m = x.len() / self.width;
        let ln_1 = keep.map(|_| ln_1); // or its memory is there for what comes next
        let mut o = self.matrix(arena, m, self.width);
        attend(&projected.q, &projected.kv, &mut o);
        let projected = keep.is_some_and(|keep| keep.projected).then_some(projected);
        self.out.forward_add(o.operand(), &mut x);
        let out = adapting.of_layer(LayerName::Out, query_rows.rows(), Columns::all(self.width));
        if !out.is_empty() {
            out.apply_to_sum(arena, &self.out, LayerInput::plain(&o), &mut x);
        }
        drop(o);
        let ln_2 = self.standardised(arena, self.ln_2, &x);
        let changed = self.changed_rows(arena, &ln_2.rows, self.norm_2(), adapting);
        let rows = changed.as_ref().unwrap_or(&ln_2.rows);
        let mut derivative = keep
            .is_some_and(|keep| keep.derivative)
            .then(|| self.matrix(arena, m, self.mlp));
        let mut act = self.matrix(arena, m, self.mlp);
        let began = Instant::now();
        self.activate(
            arena,
            rows,
            query_rows,
            adapting,
            derivative.as_mut(),
            &mut act,
        );
        if let Some(taping) = taping {
            taping.checkpoints.count_derivative(began);
        }
        self.fc2.forward_add(act.operand(), &mut x);
        let fc2 = adapting.of_layer(LayerName::Fc2, query_rows.rows(), Columns::all(self.width));
        if !fc2.is_empty() {
            fc2.apply_to_sum(arena, &self.fc2, LayerInput::plain(&act), &mut x);
        }
        let tape = ln_1.map(|ln_1| BlockTape {
            ln_1,
            ln_2,
            projected,
            derivative,
        });
        (x, tape)
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
