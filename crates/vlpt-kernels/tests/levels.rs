//! Every kernel that this machine has against the f32 reference, on ragged shapes.
//!
//! One test of a program of its own, since the level of the kernels is a setting of the process.

#![allow(clippy::print_stdout)]

mod common;

use common::attention::Case;
use common::poison::poisoned;
use common::{Random, relative_error, same_bits_for_any_threads};
use vlpt_kernels::Precision::{Bf16, F32};
use vlpt_kernels::{
    Activation, Arena, Isa, LayerNorm, Linear, Matrix, Operand, Precision, Standardize, softmax,
};

/// What a layer of a precision makes of an input and a gradient, and the same through an activation.
struct Layer {
    rows: usize,
    sizes: (usize, usize),
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    dy: Vec<f32>,
    /// Weight of another layer with the same input, and a gradient of its outputs.
    beside: (Vec<f32>, Vec<f32>),
}

/// Outputs of the other layer.
const BESIDE: usize = 45;

/// The nearest bf16 number.
fn rounded(x: &[f32]) -> Vec<f32> {
    Matrix::of(&Arena::default(), Bf16, x.len(), x).to_floats()
}

impl Layer {
    /// With numbers that bf16 holds exactly, so that both precisions multiply the same.
    fn new(random: &mut Random, rows: usize, inputs: usize, outputs: usize) -> Self {
        let mut vector = |n| rounded(&random.vector(n));
        let weight = vector(inputs * outputs);
        Self {
            rows,
            sizes: (inputs, outputs),
            weight,
            bias: vector(outputs),
            x: vector(rows * inputs),
            dy: vector(rows * outputs),
            beside: (vector(inputs * BESIDE), vector(rows * BESIDE)),
        }
    }

    fn run(&self, precision: Precision, activation: Activation) -> Vec<(&'static str, Vec<f32>)> {
        let arena = poisoned();
        let (inputs, outputs) = self.sizes;
        let layer = Linear::new(
            precision,
            inputs,
            outputs,
            self.weight.clone(),
            Some(self.bias.clone()),
        );
        let matrix = |width, floats: &[f32]| Matrix::of(&arena, precision, width, floats);
        let (x, dy) = (matrix(inputs, &self.x), matrix(outputs, &self.dy));
        let unset = |width| matrix(width, &vec![f32::NAN; self.rows * width]);

        let mut y = vec![f32::NAN; self.rows * outputs];
        layer.forward_into(x.operand(), &mut y);
        let mut sum = self.dy.clone();
        layer.forward_add(x.operand(), &mut sum);
        let mut plain = unset(outputs);
        layer.forward(x.operand(), &mut plain);
        let (mut derivative, mut after) = (unset(outputs), unset(outputs));
        layer.forward_activated(activation, x.operand(), Some(&mut derivative), &mut after);

        let mut alone = unset(outputs);
        layer.forward_activated(activation, x.operand(), None, &mut alone);
        assert_eq!(
            alone.to_floats(),
            after.to_floats(),
            "without the derivative"
        );
        layer.forward_derivative(activation, x.operand(), &mut alone);
        assert_eq!(
            alone.to_floats(),
            derivative.to_floats(),
            "the derivative alone"
        );

        let mut dx = vec![f32::NAN; self.rows * inputs];
        layer.backward_into(dy.operand(), &mut dx);
        let mut d_plain = unset(inputs);
        layer.backward(dy.operand(), &mut d_plain);
        let (weight, d_beside) = &self.beside;
        let beside = Linear::new(precision, inputs, BESIDE, weight.clone(), None);
        let (d_beside, mut sum_of_two) = (matrix(BESIDE, d_beside), unset(inputs));
        let terms = [(&layer, dy.operand()), (&beside, d_beside.operand())];
        Linear::backward_sum(terms, &mut sum_of_two);
        let mut scaled = unset(inputs);
        layer.backward_scaled(dy.operand(), &x, &mut scaled);
        vec![
            ("sums: forward_into", y),
            ("sums: forward_add", sum),
            ("forward", plain.to_floats()),
            ("forward_activated, derivative", derivative.to_floats()),
            ("forward_activated", after.to_floats()),
            ("sums: backward_into", dx),
            ("backward", d_plain.to_floats()),
            ("backward_sum", sum_of_two.to_floats()),
            ("backward_scaled", scaled.to_floats()),
        ]
    }
}

fn layers(level: Isa, random: &mut Random) {
    let shapes = [
        (1, 1, 1),
        (5, 3, 2),
        (33, 31, 65),
        (64, 128, 96),
        (70, 300, 37),
        (197, 192, 768),
        (300, 257, 530),
        // summed in several slices: one block of 32 x 32 sums, and more
        (20, 1000, 30),
        (110, 900, 100),
    ];
    for (rows, inputs, outputs) in shapes {
        let layer = Layer::new(random, rows, inputs, outputs);
        for activation in [Activation::QuickGelu, Activation::Gelu] {
            Isa::Portable.force();
            let want = layer.run(F32, activation);
            level.force();
            for precision in [F32, Bf16] {
                for ((what, got), (_, want)) in layer.run(precision, activation).iter().zip(&want) {
                    let error = relative_error(got, want);
                    // sums of exact products differ by their order alone; results are rounded
                    let exact = precision == F32 || what.starts_with("sums");
                    let limit = if exact { 2e-6 } else { 4e-3 };
                    assert!(
                        error < limit,
                        "{level} {precision:?} {what} of {rows} x {inputs} -> {outputs}: {error}"
                    );
                }
            }
        }
    }
}

fn norms(level: Isa, random: &mut Random) {
    for (rows, width) in [(1, 1), (3, 31), (40, 33), (50, 768), (17, 100)] {
        let arena = poisoned();
        let affine = LayerNorm::new(random.vector(width), random.vector(width), 1e-5);
        let norm = Standardize::new(width, 1e-5);
        let (x, dy, start) = (
            random.vector(rows * width),
            random.vector(rows * width),
            random.vector(rows * width),
        );
        let run = |precision| {
            let mut y = x.clone();
            affine.forward(&mut y);
            let mut d_affine = start.clone();
            affine.backward_add(&x, &dy, &mut d_affine);
            let mut z = Matrix::new(&arena, precision, rows, width);
            let mut scales = vec![f32::NAN; rows];
            norm.forward(&x, &mut z, &mut scales);
            let mut dx = start.clone();
            let mut rounded =
                (precision == Bf16).then(|| Matrix::new(&arena, precision, rows, width));
            let given = (&z, &scales[..]);
            norm.backward_add(given, Operand::F32(&dy), &mut dx, rounded.as_mut());
            let dz = Matrix::of(&arena, precision, width, &dy);
            let mut from_rounded = start.clone();
            norm.backward_add(given, dz.operand(), &mut from_rounded, rounded.as_mut());
            let rounded = rounded.map_or_else(|| from_rounded.clone(), |m| m.to_floats());
            let exact = [
                ("affine", y),
                ("affine, backward", d_affine),
                ("scales", scales),
            ];
            let others = [
                ("rows", z.to_floats()),
                ("backward", dx),
                ("backward of rounded gradients", from_rounded),
                ("what is rounded", rounded),
            ];
            (exact, others)
        };
        Isa::Portable.force();
        let want = run(F32);
        level.force();
        for (precision, limit) in [(F32, 1e-5), (Bf16, 4e-3)] {
            let got = run(precision);
            let what = format!("{level} {precision:?} layer norm of {rows} x {width}");
            for ((name, got), (_, want)) in got.0.iter().zip(&want.0) {
                assert!(relative_error(got, want) < 1e-5, "{what}: {name}");
            }
            for ((name, got), (_, want)) in got.1.iter().zip(&want.1) {
                let error = relative_error(got, want);
                assert!(error < limit, "{what}: {name}, {error}");
            }
        }
    }
}

fn attention(level: Isa, random: &mut Random) {
    // images that start anywhere in a tile
    let sizes = (2, 128);
    let mut cases = vec![Case::of_images(random, sizes, (3, 41, 77, 0))];
    for (heads, size) in [(2, 32), (3, 64), (2, 20), (1, 96)] {
        let sizes = (heads, heads * size);
        cases.push(Case::of_images(random, sizes, (2, 1, 33, 3)));
        cases.push(Case::of_images(random, sizes, (3, 50, 50, 10)));
        cases.push(Case::of_images(random, sizes, (1, 197, 197, 0)));
        for nodes in [1, 2, 31, 40, 150] {
            cases.push(Case::of_random_tree(random, sizes, nodes));
        }
    }
    cases.push(Case::of_classes(&mut Random::new(5), sizes, (16, 70)));
    for (i, case) in cases.iter().enumerate() {
        let d_out = random.vector(case.q.len());
        let run = |precision| {
            let [dq, dkv, d_common] = case.backward(precision, &d_out);
            let out = case.forward(precision, &case.q, &case.kv, &case.common);
            [
                ("output", out),
                ("queries", dq),
                ("keys and values", dkv),
                ("common", d_common),
            ]
        };
        Isa::Portable.force();
        let want = run(F32);
        level.force();
        for (precision, limit) in [(F32, 1e-5), (Bf16, 1.5e-2)] {
            for ((what, got), (_, want)) in run(precision).iter().zip(&want) {
                // the gradient of a query with one key is 0 but for rounding
                if want.iter().all(|x| x.abs() < 1e-5) {
                    assert!(
                        got.iter().all(|x| x.abs() < 0.1),
                        "{level} {precision:?} case {i}: {what}"
                    );
                    continue;
                }
                let error = relative_error(got, want);
                assert!(
                    error < limit,
                    "{level} {precision:?} attention, case {i}: {what}: {error}"
                );
            }
        }
        same_bits_for_any_threads("attention", || run(Bf16).map(|(_, x)| x).concat());
    }
}

/// Each image's attention has the same bits wherever it is among others.
fn images_do_not_see_each_other(level: Isa, random: &mut Random) {
    level.force();
    let (heads, width, tokens) = (2, 128, 77);
    let (one_q, one_kv) = (tokens * width, 2 * tokens * width);
    for what in ["quiet", "loud"] {
        let mut all = Case::of_images(random, (heads, width), (3, tokens, tokens, 0));
        if what == "loud" {
            all.q = loud(random, 3 * tokens, width);
            all.kv = loud(random, 3 * tokens, 2 * width);
        }
        let out = all.forward(Bf16, &all.q, &all.kv, &[]);
        let one = Case::of_images(random, (heads, width), (1, tokens, tokens, 0));
        for image in 0..3 {
            let of = |numbers: &[f32], size: usize| numbers[image * size..][..size].to_vec();
            let alone = one.forward(Bf16, &of(&all.q, one_q), &of(&all.kv, one_kv), &[]);
            assert!(alone == of(&out, one_q), "{level}: image {image}, {what}");
        }
    }
}

/// Numbers that are the same in bf16, of keys and values the more the further on.
fn loud(random: &mut Random, rows: usize, width: usize) -> Vec<f32> {
    let number = |i| {
        let size = if i / width % 77 < 40 { 0.5 } else { 32.0 };
        size * (random.int(0, 4) as f32 - 2.0)
    };
    (0..rows * width).map(number).collect()
}

/// Scores that are far above those of the first keys, and queries that see none of the first keys.
fn loud_attention(level: Isa, random: &mut Random) {
    let (heads, width) = (2, 128);
    let mut images = Case::of_images(random, (heads, width), (3, 77, 77, 0));
    images.q = loud(random, 3 * 77, width);
    images.kv = loud(random, 3 * 77, 2 * width);
    let branches: Vec<Vec<u32>> = (0..40).map(|i| vec![i, i + 10, i + 37]).collect();
    let [q, kv] = [(40, width), (77, 2 * width)].map(|(rows, width)| loud(random, rows, width));
    let tree = Case::of_tree((heads, width), &branches, (Vec::new(), kv), q);
    for (what, case) in [("images", images), ("a tree", tree)] {
        Isa::Portable.force();
        let want = case.forward(F32, &case.q, &case.kv, &case.common);
        level.force();
        let got = case.forward(Bf16, &case.q, &case.kv, &case.common);
        let error = relative_error(&got, &want);
        assert!(error < 5e-3, "{level}: {what}: {error}");
    }
}

/// Sums of powers have one order at every level.
fn softmaxes(level: Isa, random: &mut Random) {
    for (rows, width) in [(1, 1), (7, 15), (3, 16), (2, 1001)] {
        let scores: Vec<f32> = random
            .vector(rows * width)
            .iter()
            .map(|s| 20.0 * s)
            .collect();
        let run = || {
            let (mut scores, mut logs) = (scores.clone(), vec![f32::NAN; rows]);
            softmax(&mut scores, width, &mut logs);
            (scores, logs)
        };
        Isa::Portable.force();
        let want = run();
        level.force();
        assert!(run() == want, "{level}: softmax of {rows} x {width}");
    }
}

#[test]
fn every_kernel_of_this_machine_agrees_with_the_portable_one() {
    for level in Isa::available() {
        println!("level {level}");
        let mut random = Random::new(level as u64 + 1);
        layers(level, &mut random);
        norms(level, &mut random);
        softmaxes(level, &mut random);
        attention(level, &mut random);
        loud_attention(level, &mut random);
        images_do_not_see_each_other(level, &mut random);
        let layer = Layer::new(&mut random, 300, 257, 530);
        for precision in [F32, Bf16] {
            same_bits_for_any_threads("layers", || {
                let results = layer.run(precision, Activation::QuickGelu);
                results.into_iter().flat_map(|(_, x)| x).collect()
            });
        }
    }
}
