//! Where the time of a step goes: its matrix products, attention and layer norms alone beside the whole step.
//!
//! ```text
//! cargo run --release -p vlpt-clip --example roofline [f32|bf16] [ROUNDS]
//! ```
//!
//! For towers of ViT-B/16's size with random weights it prints, for a VPT-deep step (8 images, 10 prompts a block), a
//! CoOp step (100 classes, 16 context tokens) and features of 30 images: the floor, that is the step's multiplications
//! at the speed of one large product; the parts alone, in the shapes and the order of the step; and the step. Parts
//! alone find other caches and another clock than inside the step, so they do not add up to it.
//! Medians of rounds in turns, each work after an untimed one of its kind. `RAYON_NUM_THREADS` sets the threads.

#![allow(clippy::print_stdout, reason = "it is a program that prints")]

mod support;

use std::time::Instant;

use support::{b16, numbers, precision, texts};
use vlpt_clip::{Clip, MemoryBudget, Slot, TextTree, VisualPlace, VisualPrompts};
use vlpt_kernels::{
    Arena, Attention, AttentionPlan, Linear, Matrix, Operand, Precision, Standardize,
};

const IMAGES: usize = 8;
const PROMPTS: usize = 10;
const CLASSES: usize = 100;
const CONTEXT: usize = 16;
const PLAIN_IMAGES: usize = 30; // a multiple of what goes through the tower at once

/// Products behind a floor: one alone would find the caches of what came before it.
const TIMES: usize = 8;

/// The layers of one block.
struct Layers {
    q: Linear,
    kv: Linear,
    out: Linear,
    fc1: Linear,
    fc2: Linear,
}

/// What the parts read: rows of all tokens, and of those that ask in the last block.
struct Inputs {
    x: Matrix,
    hidden: Matrix,
    wide: Matrix,
    common: Matrix,
    few: Matrix,
    few_hidden: Matrix,
    start: Vec<f32>,
    norm: Standardize,
}

/// Towers as shapes: `chunks` times blocks of `tokens` rows, of which `asking` ask in the last block.
struct Shape {
    precision: Precision,
    width: usize,
    heads: usize,
    mlp: usize,
    depth: usize,
    chunks: usize,
    tokens: usize,
    asking: usize,
    backward: bool,
    plan: AttentionPlan,
    last_plan: AttentionPlan,
    common: usize,
    /// Whether the gradient of the common keys is wanted.
    learned: bool,
}

impl Shape {
    /// Rows that ask in block `l`.
    fn asking(&self, l: usize) -> usize {
        if l + 1 == self.depth {
            self.asking
        } else {
            self.tokens
        }
    }

    /// Multiplications and additions of the products, in billions.
    fn gflop(&self) -> f64 {
        let of_block = |l| {
            let (n, m, w) = (self.tokens, self.asking(l), self.width);
            let forward = 2 * w * (2 * n * w + 2 * m * w + 2 * m * self.mlp);
            // the first block's input needs no gradient
            let input = if l == 0 {
                2 * w * (2 * n * w + m * w)
            } else {
                0
            };
            if self.backward {
                2 * forward - input
            } else {
                forward
            }
        };
        let all: usize = (0..self.depth).map(of_block).sum();
        (self.chunks * all) as f64 * 1e-9
    }

    fn matrix(&self, arena: &Arena, rows: usize, width: usize) -> Matrix {
        Matrix::of(arena, self.precision, width, &numbers(rows * width))
    }

    fn layers(&self) -> Vec<Layers> {
        let (w, mlp) = (self.width, self.mlp);
        let linear = |inputs: usize, outputs: usize| {
            let weight = numbers(inputs * outputs);
            Linear::new(
                self.precision,
                inputs,
                outputs,
                weight,
                Some(numbers(outputs)),
            )
        };
        let block = |_| Layers {
            q: linear(w, w),
            kv: linear(w, 2 * w),
            out: linear(w, w),
            fc1: linear(w, mlp),
            fc2: linear(mlp, w),
        };
        (0..self.depth).map(block).collect()
    }

    /// What the parts read.
    fn inputs(&self, arena: &Arena) -> Inputs {
        let (w, mlp, n, m) = (self.width, self.mlp, self.tokens, self.asking);
        Inputs {
            x: self.matrix(arena, n, w),
            hidden: self.matrix(arena, n, mlp),
            wide: self.matrix(arena, n, 2 * w),
            common: self.matrix(arena, self.common, 2 * w),
            few: self.matrix(arena, m, w),
            few_hidden: self.matrix(arena, m, mlp),
            start: numbers(n * w),
            norm: Standardize::new(w, 1e-5),
        }
    }

    /// Every product of a step.
    fn products(&self, layers: &[Layers], arena: &Arena, inputs: &Inputs) {
        const ACTIVATION: vlpt_kernels::Activation = vlpt_kernels::Activation::QuickGelu;
        let (w, mlp, n) = (self.width, self.mlp, self.tokens);
        let Inputs {
            x,
            hidden,
            wide,
            few,
            few_hidden,
            start,
            ..
        } = inputs;
        let mut floats = arena.copy(start);
        let new = |rows, width| Matrix::new(arena, self.precision, rows, width);
        for _ in 0..self.chunks {
            for (l, layer) in layers.iter().enumerate() {
                let m = self.asking(l);
                let (x_m, hidden_m) = if m == n {
                    (x, hidden)
                } else {
                    (few, few_hidden)
                };
                layer.kv.forward(x.operand(), &mut new(n, 2 * w));
                layer.q.forward(x_m.operand(), &mut new(m, w));
                layer.out.forward_add(x_m.operand(), &mut floats[..m * w]);
                let mut slope = self.backward.then(|| new(m, mlp));
                layer.fc1.forward_activated(
                    ACTIVATION,
                    x_m.operand(),
                    slope.as_mut(),
                    &mut new(m, mlp),
                );
                layer
                    .fc2
                    .forward_add(hidden_m.operand(), &mut floats[..m * w]);
            }
            if !self.backward {
                continue;
            }
            for (l, layer) in layers.iter().enumerate().rev() {
                let m = self.asking(l);
                let (x_m, hidden_m) = if m == n {
                    (x, hidden)
                } else {
                    (few, few_hidden)
                };
                let mut d_hidden = new(m, mlp);
                layer
                    .fc2
                    .backward_scaled(x_m.operand(), hidden_m, &mut d_hidden);
                layer.fc1.backward(hidden_m.operand(), &mut new(m, w));
                layer.out.backward(x_m.operand(), &mut new(m, w));
                if l > 0 {
                    layer.kv.backward_into(wide.operand(), &mut floats[..n * w]);
                    layer.q.backward_add(x_m.operand(), &mut floats[..m * w]);
                }
            }
        }
    }

    /// All attention of a step.
    fn attention(&self, arena: &Arena, inputs: &Inputs) {
        let (w, n) = (self.width, self.tokens);
        let new = |rows, width| Matrix::new(arena, self.precision, rows, width);
        let learned = if self.learned { self.common * 2 * w } else { 0 };
        let mut d_common = vec![0.0; learned];
        for l in (0..self.depth).cycle().take(self.depth * self.chunks) {
            let (plan, q) = if l + 1 == self.depth {
                (&self.last_plan, &inputs.few)
            } else {
                (&self.plan, &inputs.x)
            };
            let attention = Attention {
                heads: self.heads,
                width: w,
                plan,
            };
            let mut out = new(q.rows(), w);
            attention.forward(q, &inputs.wide, &inputs.common, &mut out);
            if self.backward {
                let (mut dq, mut d_kv) = (new(q.rows(), w), new(n, 2 * w));
                let given = (q, &inputs.wide, &inputs.common);
                attention.backward(arena, given, &out, &mut dq, &mut d_kv, &mut d_common);
            }
        }
    }

    /// All layer norms of a step.
    fn norms(&self, arena: &Arena, inputs: &Inputs) {
        let (w, n) = (self.width, self.tokens);
        let Inputs { norm, start: x, .. } = inputs;
        let (mut dx, mut scales) = (arena.floats(n * w), arena.floats(n));
        dx.fill(0.0);
        for l in (0..self.depth).cycle().take(self.depth * self.chunks) {
            let m = self.asking(l);
            // before the attention, and before the MLP, whose gradient comes in the layers' format
            for (rows, first) in [(n, true), (m, false)] {
                let mut z = Matrix::new(arena, self.precision, rows, w);
                let x = &x[..rows * w];
                norm.forward(x, &mut z, &mut scales[..rows]);
                if self.backward && (!first || l > 0) {
                    let mut rounded = (self.precision == Precision::Bf16)
                        .then(|| Matrix::new(arena, self.precision, rows, w));
                    let dz = if first { Operand::F32(x) } else { z.operand() };
                    let (given, dx) = ((&z, &scales[..rows]), &mut dx[..rows * w]);
                    norm.backward_add(given, dz, dx, rounded.as_mut());
                }
            }
        }
    }
}

/// Median seconds of each work, all done in turns; each that is timed follows one of its kind, as the
/// steps of a training do.
fn medians(rounds: usize, works: &mut [&mut dyn FnMut()]) -> Vec<f64> {
    let mut seconds = vec![Vec::new(); works.len()];
    for _ in 0..rounds {
        for (work, seconds) in works.iter_mut().zip(&mut seconds) {
            work();
            let began = Instant::now();
            work();
            seconds.push(began.elapsed().as_secs_f64());
        }
    }
    let median = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    seconds.into_iter().map(median).collect()
}

/// Prints the rows of one work.
fn show(name: &str, rounds: usize, shape: &Shape, step: &mut (dyn FnMut() + Send)) {
    let (layers, arena) = (shape.layers(), Arena::default());
    let inputs = shape.inputs(&arena);
    let best = Linear::new(shape.precision, 768, 3072, numbers(768 * 3072), None);
    let x = Matrix::of(&arena, shape.precision, 768, &numbers(1656 * 768));
    let mut y = Matrix::new(&arena, shape.precision, 1656, 3072);
    let seconds = medians(
        rounds,
        &mut [
            &mut || (0..TIMES).for_each(|_| best.forward(x.operand(), &mut y)),
            &mut || shape.products(&layers, &arena, &inputs),
            &mut || shape.attention(&arena, &inputs),
            &mut || shape.norms(&arena, &inputs),
            step,
        ],
    );
    let [best, products, attention, norms, step] = seconds[..] else {
        unreachable!("a median of each work")
    };
    let speed = 2e-9 * TIMES as f64 * 1656.0 * 768.0 * 3072.0 / best;
    let floor = shape.gflop() / speed;
    let row = |part: &str, seconds: f64| {
        let (ms, share) = (1e3 * seconds, 100.0 * seconds / step);
        println!("| {name} | {part} | {ms:.1} | {share:.0} % |");
    };
    row(
        &format!("floor: {:.0} GFLOP at {speed:.0} GFLOP/s", shape.gflop()),
        floor,
    );
    row("its products alone", products);
    row("its attention alone", attention);
    row("its layer norms alone", norms);
    row("the step", step);
}

/// Images of a pass are parted as the tower parts them.
fn images(precision: Precision, n: usize, prompts: usize, backward: bool) -> Shape {
    const TOKENS: usize = 197;
    let chunks = n.div_ceil(vlpt_clip::ImageTower::CHUNK_TOKENS / TOKENS);
    let size = n.div_ceil(chunks);
    Shape {
        precision,
        width: 768,
        heads: 12,
        mlp: 3072,
        depth: 12,
        chunks,
        tokens: size * TOKENS,
        asking: size,
        backward,
        plan: AttentionPlan::images(size, TOKENS, TOKENS, prompts),
        last_plan: AttentionPlan::images(size, 1, TOKENS, prompts),
        common: prompts,
        learned: true,
    }
}

/// The tree of these texts without its start, which is constant.
fn tree(precision: Precision, texts: &[Vec<Slot>]) -> Shape {
    let live = TextTree::new(texts).nodes() - 1;
    let context = CONTEXT as u32;
    let mut branches: Vec<Vec<u32>> = (1..=context).map(|i| (0..=i).collect()).collect();
    let mut ends = Vec::new();
    for text in texts {
        let first = branches.len() as u32 + 1;
        for own in 0..(text.len() as u32 - 1 - context) {
            branches.push((0..=context).chain(first..=first + own).collect());
        }
        ends.push(branches[branches.len() - 1].clone());
    }
    assert_eq!(
        branches.len(),
        live,
        "texts that share nothing but the context"
    );
    let plan = |of: &[Vec<u32>]| AttentionPlan::tree(of.iter().map(Vec::as_slice), 1, live);
    Shape {
        precision,
        width: 512,
        heads: 8,
        mlp: 2048,
        depth: 12,
        chunks: 1,
        tokens: live,
        asking: CLASSES,
        backward: true,
        plan: plan(&branches),
        last_plan: plan(&ends),
        common: 1,
        learned: false,
    }
}

fn run(precision: Precision, rounds: usize) {
    let clip = Clip::random_as(&b16(), 1, precision);
    println!(
        "{}, {precision}, {} threads\n",
        vlpt_kernels::description(),
        rayon::current_num_threads()
    );
    println!("| work | part | ms | of the step |\n|---|---|---|---|");
    let (pixels, visual) = (
        numbers(PLAIN_IMAGES * 3 * 224 * 224),
        numbers(12 * PROMPTS * 768),
    );
    let prompts = VisualPrompts {
        values: &visual,
        layers: 12,
        count: PROMPTS,
        place: VisualPlace::AfterLnPre,
    };
    let some = &pixels[..IMAGES * 3 * 224 * 224];
    let budget = MemoryBudget::default();
    let shape = images(precision, IMAGES, PROMPTS, true);
    show("VPT-deep step", rounds, &shape, &mut || {
        let (features, tape) = clip.vision.forward(some, IMAGES, &prompts, budget);
        clip.vision.backward(tape, &features);
    });
    let texts = texts(CLASSES, CONTEXT, "end");
    let (plan, context) = (clip.text.plan(&texts, budget), numbers(CONTEXT * 512));
    show("CoOp step", rounds, &tree(precision, &texts), &mut || {
        let (features, tape) = clip.text.forward(&plan, &context);
        clip.text.backward(&plan, tape, &features);
    });
    let shape = images(precision, PLAIN_IMAGES, 0, false);
    show("image features", rounds, &shape, &mut || {
        clip.vision.features(&pixels, PLAIN_IMAGES, None);
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let precision = precision(arguments.first().map(String::as_str))?;
    let rounds = arguments.get(1).map_or(Ok(7), |n| n.parse())?;
    // inside the pool, as a step of training
    vlpt_kernels::awake(|| run(precision, rounds));
    Ok(())
}
