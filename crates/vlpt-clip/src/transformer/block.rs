//! One pre-norm residual block: `x += out(attention(ln_1(x)))`, `x += fc2(act(fc1(ln_2(x))))`.

use vlpt_kernels::{Activation, LayerNorm, Linear, gather_rows, scatter_add_rows};

use super::layer_norm;
use crate::weights::{BlockWeights, LinearWeights};

/// A frozen block. What attends to what is the caller's: the block gives queries, keys and values.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    width: usize,
    mlp: usize,
    activation: Activation,
    ln_1: LayerNorm,
    q: Linear,
    kv: Linear,
    out: Linear,
    ln_2: LayerNorm,
    fc1: Linear,
    fc2: Linear,
}

/// The tokens that ask and go on through the MLP; all others only lend their keys and values.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asking<'a> {
    All,
    Rows(&'a [u32]),
}

/// The tokens whose gradient is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    None,
    All,
    Rows(&'a [u32]),
}

/// What backward needs of forward. With `n` tokens of which `m` ask:
#[derive(Debug)]
pub(crate) struct BlockTape {
    /// Input, n x width.
    x: Vec<f32>,
    /// Queries, m x width.
    q: Vec<f32>,
    /// Keys and values, n x (2 width).
    kv: Vec<f32>,
    /// Sum after the attention, m x width.
    middle: Vec<f32>,
    /// MLP before its activation, m x mlp.
    before: Vec<f32>,
}

impl BlockTape {
    /// Keys and values of all tokens, n x (2 width).
    pub(crate) fn into_keys(self) -> Vec<f32> {
        self.kv
    }

    /// Bytes that the tape of a block takes for `n` tokens of which `m` ask.
    pub(crate) fn bytes(width: usize, mlp: usize, n: usize, m: usize) -> usize {
        (3 * n * width + 2 * m * width + m * mlp) * size_of::<f32>()
    }
}

/// Memory that blocks use one after another.
#[derive(Default)]
pub(crate) struct Scratch {
    h: Vec<f32>,
    o: Vec<f32>,
    act: Vec<f32>,
    rows: Vec<f32>,
    dq: Vec<f32>,
    dkv: Vec<f32>,
}

/// The first `n` floats of a vector that is long enough afterwards; their values are anything.
fn sized(v: &mut Vec<f32>, n: usize) -> &mut [f32] {
    if v.len() < n {
        v.resize(n, 0.0);
    }
    &mut v[..n]
}

fn linear(inputs: usize, outputs: usize, weights: LinearWeights) -> Linear {
    Linear::new(inputs, outputs, weights.weight, Some(weights.bias))
}

impl Block {
    pub(crate) fn new(
        width: usize,
        mlp: usize,
        activation: Activation,
        eps: f32,
        weights: BlockWeights,
    ) -> Self {
        let LinearWeights {
            weight: mut q,
            bias: mut q_bias,
        } = weights.qkv;
        let (kv, kv_bias) = (q.split_off(width * width), q_bias.split_off(width));
        q.shrink_to_fit();
        q_bias.shrink_to_fit();
        Self {
            width,
            mlp,
            activation,
            ln_1: layer_norm(weights.ln_1, eps),
            q: Linear::new(width, width, q, Some(q_bias)),
            kv: Linear::new(width, 2 * width, kv, Some(kv_bias)),
            out: linear(width, width, weights.out),
            ln_2: layer_norm(weights.ln_2, eps),
            fc1: linear(width, mlp, weights.fc1),
            fc2: linear(mlp, width, weights.fc2),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let linear = [&self.q, &self.kv, &self.out, &self.fc1, &self.fc2];
        linear.iter().map(|layer| layer.bytes()).sum::<usize>()
            + self.ln_1.bytes()
            + self.ln_2.bytes()
    }

    /// Keys and values (rows x 2 width) of tokens that do nothing else here.
    pub(crate) fn keys(&self, x: &[f32]) -> Vec<f32> {
        let mut h = vec![0.0; x.len()];
        self.ln_1.forward(x, &mut h);
        let mut kv = vec![0.0; 2 * x.len()];
        self.kv.forward(&h, &mut kv);
        kv
    }

    /// Gradient of the `x` of [`Block::keys`].
    pub(crate) fn keys_backward(&self, x: &[f32], d_kv: &[f32]) -> Vec<f32> {
        let mut dh = vec![0.0; x.len()];
        self.kv.backward(d_kv, &mut dh);
        let mut dx = vec![0.0; x.len()];
        self.ln_1.backward_add(x, &dh, &mut dx);
        dx
    }

    /// The tokens that ask, after the block, and the tape. `attend(q, kv, out)` writes the
    /// attention of the queries.
    pub(crate) fn forward(
        &self,
        x: Vec<f32>,
        asking: Asking,
        scratch: &mut Scratch,
        attend: impl FnOnce(&[f32], &[f32], &mut [f32]),
    ) -> (Vec<f32>, BlockTape) {
        let (w, n) = (self.width, x.len() / self.width);
        let h = sized(&mut scratch.h, n * w);
        self.ln_1.forward(&x, h);
        let mut kv = vec![0.0; n * 2 * w];
        self.kv.forward(h, &mut kv);
        let (mut q, mut middle);
        match asking {
            Asking::All => {
                q = vec![0.0; n * w];
                self.q.forward(h, &mut q);
                middle = x.clone();
            }
            Asking::Rows(rows) => {
                q = vec![0.0; rows.len() * w];
                middle = vec![0.0; rows.len() * w];
                let asking = sized(&mut scratch.rows, rows.len() * w);
                gather_rows(h, w, rows, asking);
                self.q.forward(asking, &mut q);
                gather_rows(&x, w, rows, &mut middle);
            }
        }
        let m = q.len() / w;
        let o = sized(&mut scratch.o, m * w);
        attend(&q, &kv, o);
        self.out.forward_add(o, &mut middle);
        let h = sized(&mut scratch.h, m * w);
        self.ln_2.forward(&middle, h);
        let mut before = vec![0.0; m * self.mlp];
        let act = sized(&mut scratch.act, m * self.mlp);
        self.fc1
            .forward_activated(self.activation, h, &mut before, act);
        let mut y = middle.clone();
        self.fc2.forward_add(act, &mut y);
        (
            y,
            BlockTape {
                x,
                q,
                kv,
                middle,
                before,
            },
        )
    }

    /// Gradient of the wanted tokens (their rows alone, in the order wanted), given that of the
    /// tokens that asked. `attend(q, kv, d_out, dq, dkv)` writes the gradients of attention.
    pub(crate) fn backward(
        &self,
        tape: &BlockTape,
        asking: Asking,
        wanted: Wanted,
        mut dy: Vec<f32>,
        scratch: &mut Scratch,
        attend: impl FnOnce(&[f32], &[f32], &[f32], &mut [f32], &mut [f32]),
    ) -> Vec<f32> {
        let (w, m, n) = (self.width, dy.len() / self.width, tape.x.len() / self.width);
        let act = sized(&mut scratch.act, m * self.mlp);
        self.fc2
            .backward_activated(self.activation, &dy, &tape.before, act);
        let h = sized(&mut scratch.h, m * w);
        self.fc1.backward(act, h);
        self.ln_2.backward_add(&tape.middle, h, &mut dy);
        let o = sized(&mut scratch.o, m * w);
        self.out.backward(&dy, o);
        let dq = sized(&mut scratch.dq, m * w);
        let dkv = sized(&mut scratch.dkv, n * 2 * w);
        attend(&tape.q, &tape.kv, o, dq, dkv);
        let (dq, dkv) = (&*dq, &*dkv);
        match (wanted, asking) {
            (Wanted::None, _) => Vec::new(),
            (Wanted::All, asking) => self.input_backward(&tape.x, asking, dy, dq, dkv),
            (Wanted::Rows(rows), Asking::All) => {
                let pick = |from: &[f32], width: usize| {
                    let mut to = vec![0.0; rows.len() * width];
                    gather_rows(from, width, rows, &mut to);
                    to
                };
                let (x, dy) = (pick(&tape.x, w), pick(&dy, w));
                self.input_backward(&x, Asking::All, dy, &pick(dq, w), &pick(dkv, 2 * w))
            }
            (Wanted::Rows(rows), asking) => {
                let all = self.input_backward(&tape.x, asking, dy, dq, dkv);
                let mut dx = vec![0.0; rows.len() * w];
                gather_rows(&all, w, rows, &mut dx);
                dx
            }
        }
    }

    /// Through the query, key and value layers and the first layer norm, to the input `x`.
    fn input_backward(
        &self,
        x: &[f32],
        asking: Asking,
        dy: Vec<f32>,
        dq: &[f32],
        dkv: &[f32],
    ) -> Vec<f32> {
        let w = self.width;
        let mut dh = vec![0.0; x.len()];
        self.kv.backward(dkv, &mut dh);
        let mut dx = match asking {
            Asking::All => {
                self.q.backward_add(dq, &mut dh);
                dy
            }
            Asking::Rows(rows) => {
                let mut d_asking = vec![0.0; dq.len()];
                self.q.backward(dq, &mut d_asking);
                scatter_add_rows(&d_asking, w, rows, &mut dh);
                let mut dx = vec![0.0; x.len()];
                scatter_add_rows(&dy, w, rows, &mut dx);
                dx
            }
        };
        self.ln_1.backward_add(x, &dh, &mut dx);
        dx
    }
}
