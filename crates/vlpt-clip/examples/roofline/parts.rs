//! The parts of a step alone, in its shapes and order.

use vlpt_kernels::{
    Activation, Arena, Attention, LayerNorm, Linear, Matrix, Operand, Precision, Standardize,
};

use super::shape::Shape;
use super::support::numbers;

const EPS: f32 = 1e-5;

/// The layers of a step, and what they read.
pub(super) struct Parts<'a> {
    shape: &'a Shape,
    arena: Arena,
    blocks: Vec<Layers>,
    /// Of images alone: the layer, and what it reads.
    patches: Option<(Linear, Matrix)>,
    /// In f32, as in the towers.
    head: Linear,
    x: Rows,
    /// Rows that ask in the last block, and those of the first block whose gradient is wanted.
    few: Rows,
    wanted: Rows,
    common: Rows,
    floats: Vec<f32>,
    features: Vec<f32>,
    standardize: Standardize,
    norm: LayerNorm,
}

/// The layers of one block.
struct Layers {
    q: Linear,
    kv: Linear,
    out: Linear,
    fc1: Linear,
    fc2: Linear,
}

/// The same rows in each width.
struct Rows {
    width: Matrix,
    double: Matrix,
    mlp: Matrix,
}

impl<'a> Parts<'a> {
    pub(super) fn new(shape: &'a Shape) -> Self {
        let arena = Arena::default();
        let (w, mlp) = (shape.width, shape.mlp);
        let matrix = |n, width| Matrix::of(&arena, shape.precision, width, &numbers(n * width));
        let rows = |n| Rows {
            width: matrix(n, w),
            double: matrix(n, 2 * w),
            mlp: matrix(n, mlp),
        };
        let linear = |precision, inputs, outputs, has_bias: bool| {
            let bias = has_bias.then(|| numbers(outputs));
            Linear::new(precision, inputs, outputs, numbers(inputs * outputs), bias)
        };
        let layer = |inputs, outputs| linear(shape.precision, inputs, outputs, true);
        let block = |_| Layers {
            q: layer(w, w),
            kv: layer(w, 2 * w),
            out: layer(w, w),
            fc1: layer(w, mlp),
            fc2: layer(mlp, w),
        };
        let patches = |inputs| {
            let layer = linear(shape.precision, inputs, w, false);
            (layer, matrix(shape.tokens, inputs))
        };
        Self {
            blocks: (0..shape.depth).map(block).collect(),
            patches: shape.patch.map(patches),
            head: linear(Precision::F32, w, shape.embed, false),
            x: rows(shape.tokens),
            few: rows(shape.asking),
            wanted: rows(shape.wanted),
            common: rows(shape.common),
            floats: numbers(shape.tokens * w),
            features: numbers(shape.asking * shape.embed),
            standardize: Standardize::new(w, EPS),
            norm: LayerNorm::new(vec![1.0; w], vec![0.0; w], EPS),
            shape,
            arena,
        }
    }

    fn new_matrix(&self, rows: usize, width: usize) -> Matrix {
        Matrix::new(&self.arena, self.shape.precision, rows, width)
    }

    /// What the rows that ask in block `l` are read from.
    fn asking(&self, l: usize) -> &Rows {
        if l + 1 == self.shape.depth {
            &self.few
        } else {
            &self.x
        }
    }

    /// Every product of a step.
    pub(super) fn products(&self) {
        let w = self.shape.width;
        let mut floats = self.arena.copy(&self.floats);
        let mut features = self.features.clone();
        if self.shape.learned > 0 {
            for layers in &self.blocks {
                let mut kv = self.new_matrix(self.shape.common, 2 * w);
                layers.kv.forward(self.common.width.operand(), &mut kv);
            }
        }
        for _ in 0..self.shape.chunks {
            if let Some((patches, pixels)) = &self.patches {
                patches.forward_add(pixels.operand(), &mut floats);
            }
            for l in 0..self.shape.depth {
                self.block(l, &mut floats);
            }
            let m = self.shape.asking * w;
            let ends = Operand::F32(&self.floats[..m]);
            self.head.forward_into(ends, &mut features);
            if self.shape.backward {
                let d = Operand::F32(&self.features);
                self.head.backward_into(d, &mut floats[..m]);
                for l in (0..self.shape.depth).rev() {
                    self.block_backward(l, &mut floats);
                }
            }
        }
        if self.shape.learned > 0 {
            let to = &mut floats[..self.shape.common * w];
            for layers in &self.blocks {
                layers.kv.backward_into(self.common.double.operand(), to);
            }
        }
    }

    /// Those of a block.
    fn block(&self, l: usize, floats: &mut [f32]) {
        let (w, mlp, layers) = (self.shape.width, self.shape.mlp, &self.blocks[l]);
        let (n, m, rows) = (self.shape.tokens, self.shape.asking(l), self.asking(l));
        let mut kv = self.new_matrix(n, 2 * w);
        layers.kv.forward(self.x.width.operand(), &mut kv);
        let mut q = self.new_matrix(m, w);
        layers.q.forward(rows.width.operand(), &mut q);
        let x = &mut floats[..m * w];
        layers.out.forward_add(rows.width.operand(), x);
        let mut derivative = self.shape.backward.then(|| self.new_matrix(m, mlp));
        let mut hidden = self.new_matrix(m, mlp);
        layers.fc1.forward_activated(
            Activation::QuickGelu,
            rows.width.operand(),
            derivative.as_mut(),
            &mut hidden,
        );
        layers.fc2.forward_add(rows.mlp.operand(), x);
    }

    /// Those of a block's gradients.
    fn block_backward(&self, l: usize, floats: &mut [f32]) {
        let (w, layers) = (self.shape.width, &self.blocks[l]);
        let (m, rows) = (self.shape.asking(l), self.asking(l));
        let mut d_hidden = self.new_matrix(m, self.shape.mlp);
        layers
            .fc2
            .backward_scaled(rows.width.operand(), &rows.mlp, &mut d_hidden);
        let mut dh = self.new_matrix(m, w);
        layers.fc1.backward(rows.mlp.operand(), &mut dh);
        let mut d_out = self.new_matrix(m, w);
        layers.out.backward(rows.width.operand(), &mut d_out);
        let (n, m) = self.shape.wanted(l);
        let all = if l == 0 { &self.wanted } else { &self.x };
        if n == 0 {
            return;
        }
        let (q, kv, d_kv) = (&layers.q, &layers.kv, all.double.operand());
        if m == n {
            let terms = [(q, all.width.operand()), (kv, d_kv)];
            Linear::backward_sum(terms, &mut self.new_matrix(n, w));
        } else {
            kv.backward_into(d_kv, &mut floats[..n * w]);
            q.backward_into(rows.width.operand(), &mut floats[..m * w]);
        }
    }

    /// All attention of a step.
    pub(super) fn attention(&self) {
        let (w, shape) = (self.shape.width, self.shape);
        let mut d_common = vec![0.0; shape.learned * 2 * w];
        for l in (0..shape.depth).cycle().take(shape.depth * shape.chunks) {
            let plan = if l + 1 == shape.depth {
                &shape.last_plan
            } else {
                &shape.plan
            };
            let attention = Attention {
                heads: shape.heads,
                width: w,
                plan,
            };
            let (q, kv, common) = (&self.asking(l).width, &self.x.double, &self.common.double);
            let mut out = self.new_matrix(q.rows(), w);
            attention.forward(q, kv, common, &mut out);
            if shape.backward {
                let mut dq = self.new_matrix(q.rows(), w);
                let mut d_kv = self.new_matrix(shape.tokens, 2 * w);
                let given = (q, kv, common);
                attention.backward(&self.arena, given, &out, &mut dq, &mut d_kv, &mut d_common);
            }
        }
    }

    /// All layer norms of a step but those of the prompts, which are a few rows.
    pub(super) fn norms(&self) {
        let (w, shape, arena) = (self.shape.width, self.shape, &self.arena);
        let mut scales = arena.floats(shape.tokens);
        for _ in 0..shape.chunks {
            let mut dx = arena.copy(&self.floats);
            if self.patches.is_some() {
                self.norm.forward(&mut dx);
            }
            for l in 0..shape.depth {
                // before the attention, and before the MLP
                let (n, m) = (shape.tokens, shape.asking(l));
                let wanted = if shape.backward { shape.wanted(l).0 } else { 0 };
                let asked = if shape.backward { m } else { 0 };
                // the few that ask have gradients of their own, which are added as floats
                for (rows, wanted, is_float) in [(n, wanted, m < n), (m, asked, false)] {
                    let mut z = self.new_matrix(rows, w);
                    let x = &self.floats[..rows * w];
                    let scales = &mut scales[..rows];
                    self.standardize.forward(x, &mut z, scales);
                    if wanted == rows {
                        self.norm_backward((&z, scales), is_float, &mut dx[..wanted * w]);
                    } else if wanted > 0 {
                        let z = Matrix::gather(arena, &z, &(0..wanted as u32).collect::<Vec<_>>());
                        let given = (&z, &scales[..wanted]);
                        self.norm_backward(given, is_float, &mut dx[..wanted * w]);
                    }
                }
            }
            let ends = shape.asking * w;
            let mut last = self.floats[..ends].to_vec();
            self.norm.forward(&mut last);
            if shape.backward {
                let x = &self.floats[..ends];
                self.norm.backward_add(x, x, &mut dx[..ends]);
            }
        }
    }

    /// The gradient of a layer norm, which is rounded for the layer before where layers are in bf16.
    fn norm_backward(&self, given: (&Matrix, &[f32]), is_float: bool, dx: &mut [f32]) {
        let (z, w) = (given.0, self.shape.width);
        let mut rounded =
            (self.shape.precision == Precision::Bf16).then(|| self.new_matrix(z.rows(), w));
        let dz = if is_float {
            Operand::F32(&self.floats[..dx.len()])
        } else {
            z.operand()
        };
        self.standardize
            .backward_add(given, dz, dx, rounded.as_mut());
    }
}
