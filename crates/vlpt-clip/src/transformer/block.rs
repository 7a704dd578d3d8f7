//! One pre-norm residual block: `x += out(attention(ln_1(x)))`, `x += fc2(act(fc1(ln_2(x))))`.

use vlpt_kernels::{
    Activation, Arena, Buffer, LayerNorm, Linear, Matrix, Precision, gather_rows, scatter_add_rows,
};

use super::gradient::Gradient;
use super::layer_norm;
use crate::weights::{BlockWeights, LinearWeights};

/// A frozen block. What attends to what is the caller's: the block gives queries, keys and values.
#[derive(Debug)]
pub(crate) struct Block {
    precision: Precision,
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

/// What a pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taping {
    /// The result alone (and keys and values).
    Keys,
    /// Backward too.
    Whole,
}

impl Taping {
    /// Of a pass that may keep its tapes.
    pub(crate) fn of(tapes: &Option<&mut Vec<BlockTape>>) -> Self {
        match tapes {
            Some(_) => Self::Whole,
            None => Self::Keys,
        }
    }
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
    x: Buffer<f32>,
    /// Queries, m x width.
    q: Matrix,
    /// Keys and values, n x (2 width).
    kv: Matrix,
    /// Sum after the attention, m x width.
    middle: Buffer<f32>,
    /// Slope of the MLP's activation, m x mlp; none where nothing will go backward.
    slope: Option<Matrix>,
}

impl BlockTape {
    /// Keys and values of all tokens, n x (2 width).
    pub(crate) fn into_keys(self) -> Matrix {
        self.kv
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
        let LinearWeights {
            weight: mut q,
            bias: mut q_bias,
        } = weights.qkv;
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
            ln_1: layer_norm(weights.ln_1, eps),
            q: Linear::new(precision, width, width, q, Some(q_bias)),
            kv: Linear::new(precision, width, 2 * width, kv, Some(kv_bias)),
            out: linear(width, width, weights.out),
            ln_2: layer_norm(weights.ln_2, eps),
            fc1: linear(width, mlp, weights.fc1),
            fc2: linear(mlp, width, weights.fc2),
        }
    }

    pub(crate) fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn bytes(&self) -> usize {
        let linear = [&self.q, &self.kv, &self.out, &self.fc1, &self.fc2];
        linear.iter().map(|layer| layer.bytes()).sum::<usize>()
            + self.ln_1.bytes()
            + self.ln_2.bytes()
    }

    /// Bytes that the tape takes for `n` tokens of which `m` ask.
    pub(crate) fn tape_bytes(&self, n: usize, m: usize) -> usize {
        let floats = |rows| rows * self.width * size_of::<f32>();
        let matrix = |rows, width| Matrix::bytes(self.precision, rows, width);
        floats(n)
            + matrix(m, self.width)
            + matrix(n, 2 * self.width)
            + floats(m)
            + matrix(m, self.mlp)
    }

    /// Keys and values (rows x 2 width) of tokens that do nothing else here.
    pub(crate) fn keys(&self, arena: &Arena, x: &[f32]) -> Matrix {
        let rows = x.len() / self.width;
        let mut h = self.matrix(arena, rows, self.width);
        self.ln_1.forward(x, &mut h);
        let mut kv = self.matrix(arena, rows, 2 * self.width);
        self.kv.forward(h.operand(), &mut kv);
        kv
    }

    /// Gradient of the `x` of [`Block::keys`].
    pub(crate) fn keys_backward(&self, arena: &Arena, x: &[f32], d_kv: &[f32]) -> Vec<f32> {
        let d_kv = Gradient::new(arena, self.precision, 2 * self.width, arena.copy(d_kv));
        let mut dh = arena.floats(x.len());
        self.kv.backward_into(d_kv.operand(), &mut dh);
        let mut dx = vec![0.0; x.len()];
        self.ln_1.backward_add(x, &dh, &mut dx, None);
        dx
    }

    /// The tokens that ask, after the block, and the tape. `attend(q, kv, out)` writes the
    /// attention of the queries.
    pub(crate) fn forward(
        &self,
        arena: &Arena,
        x: Buffer<f32>,
        asking: Asking,
        taping: Taping,
        attend: impl FnOnce(&Matrix, &Matrix, &mut Matrix),
    ) -> (Buffer<f32>, BlockTape) {
        let (w, n) = (self.width, x.len() / self.width);
        let mut h = self.matrix(arena, n, w);
        self.ln_1.forward(&x, &mut h);
        let mut kv = self.matrix(arena, n, 2 * w);
        self.kv.forward(h.operand(), &mut kv);
        let picked;
        let (asking, start): (_, &[f32]) = match asking {
            Asking::All => (h, &x),
            Asking::Rows(rows) => {
                let mut start = arena.floats(rows.len() * w);
                gather_rows(&x, w, rows, &mut start);
                picked = start;
                (Matrix::gather(arena, &h, rows), &picked)
            }
        };
        let m = asking.rows();
        let mut q = self.matrix(arena, m, w);
        self.q.forward(asking.operand(), &mut q);
        let mut o = asking; // its memory: what asked is not needed any more
        attend(&q, &kv, &mut o);
        let mut middle = arena.floats(m * w);
        self.out.forward_sum(o.operand(), start, &mut middle);
        let mut h = o;
        self.ln_2.forward(&middle, &mut h);
        let mut slope = (taping == Taping::Whole).then(|| self.matrix(arena, m, self.mlp));
        let mut act = self.matrix(arena, m, self.mlp);
        self.fc1
            .forward_activated(self.activation, h.operand(), slope.as_mut(), &mut act);
        let mut y = arena.floats(m * w);
        self.fc2.forward_sum(act.operand(), &middle, &mut y);
        let tape = BlockTape {
            x,
            q,
            kv,
            middle,
            slope,
        };
        (y, tape)
    }

    /// Gradient of the wanted tokens (their rows alone, in the order wanted), given that of the
    /// tokens that asked. `attend(q, kv, d_out, dq, dkv)` writes the gradients of attention.
    pub(crate) fn backward(
        &self,
        arena: &Arena,
        tape: &BlockTape,
        asking: Asking,
        wanted: Wanted,
        mut dy: Gradient,
        attend: impl FnOnce(&Matrix, &Matrix, &Matrix, &mut Matrix, &mut Matrix),
    ) -> Gradient {
        let (w, m, n) = (self.width, tape.q.rows(), tape.kv.rows());
        let slope = tape.slope.as_ref();
        let slope = slope.expect("backward goes through whole tapes");
        let mut d_before = self.matrix(arena, m, self.mlp);
        self.fc2.backward_scaled(dy.operand(), slope, &mut d_before);
        let mut dh = arena.floats(m * w);
        self.fc1.backward_into(d_before.operand(), &mut dh);
        drop(d_before);
        let (floats, rounded) = dy.parts();
        self.ln_2.backward_add(&tape.middle, &dh, floats, rounded);
        let mut d_out = self.matrix(arena, m, w);
        self.out.backward(dy.operand(), &mut d_out);
        let (mut dq, mut dkv) = (self.matrix(arena, m, w), self.matrix(arena, n, 2 * w));
        attend(&tape.q, &tape.kv, &d_out, &mut dq, &mut dkv);
        match (wanted, asking) {
            (Wanted::None, _) => Gradient::new(arena, self.precision, w, arena.floats(0)),
            (Wanted::All, asking) => self.input_backward(arena, &tape.x, asking, dy, &dq, &dkv),
            (Wanted::Rows(rows), Asking::All) => {
                let x = pick(arena, &tape.x, w, rows);
                let dy = Gradient::new(arena, self.precision, w, pick(arena, dy.floats(), w, rows));
                let (dq, dkv) = (
                    Matrix::gather(arena, &dq, rows),
                    Matrix::gather(arena, &dkv, rows),
                );
                self.input_backward(arena, &x, Asking::All, dy, &dq, &dkv)
            }
            (Wanted::Rows(rows), asking) => {
                let all = self.input_backward(arena, &tape.x, asking, dy, &dq, &dkv);
                Gradient::new(arena, self.precision, w, pick(arena, all.floats(), w, rows))
            }
        }
    }

    /// Through the query, key and value layers and the first layer norm, to the input `x`.
    fn input_backward(
        &self,
        arena: &Arena,
        x: &[f32],
        asking: Asking,
        dy: Gradient,
        dq: &Matrix,
        dkv: &Matrix,
    ) -> Gradient {
        let w = self.width;
        let mut dh = arena.floats(x.len());
        self.kv.backward_into(dkv.operand(), &mut dh);
        let mut dx = match asking {
            Asking::All => {
                self.q.backward_add(dq.operand(), &mut dh);
                dy
            }
            Asking::Rows(rows) => {
                let mut d_asking = arena.floats(rows.len() * w);
                self.q.backward_into(dq.operand(), &mut d_asking);
                scatter_add_rows(&d_asking, w, rows, &mut dh);
                let mut dx = arena.floats(x.len());
                dx.fill(0.0);
                scatter_add_rows(dy.floats(), w, rows, &mut dx);
                Gradient::unrounded(arena, self.precision, w, dx)
            }
        };
        let (floats, rounded) = dx.parts();
        self.ln_1.backward_add(x, &dh, floats, rounded);
        dx
    }

    fn matrix(&self, arena: &Arena, rows: usize, width: usize) -> Matrix {
        Matrix::new(arena, self.precision, rows, width)
    }
}

/// Some rows of a matrix.
fn pick(arena: &Arena, from: &[f32], width: usize, rows: &[u32]) -> Buffer<f32> {
    let mut to = arena.floats(rows.len() * width);
    gather_rows(from, width, rows, &mut to);
    to
}
