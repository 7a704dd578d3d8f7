//! Linear layers at every level of the processor against plain f64 sums, on ragged shapes.
//!
//! One test alone, as the level belongs to the whole program.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use common::{Random, assert_close, with_threads};
use vlpt_kernels::{Activation, Arena, Isa, Linear, Matrix, Operand, Precision};

/// Around the sizes at which kernels change what they do, and primes.
const SIZES: [usize; 24] = [
    1, 2, 3, 5, 6, 7, 13, 14, 15, 16, 17, 31, 32, 33, 47, 64, 97, 127, 128, 191, 211, 257, 293, 384,
];

/// A layer's numbers and what it must give in f64.
struct Case {
    rows: usize,
    inputs: usize,
    outputs: usize,
    weight: Vec<f32>,
    bias: Vec<f32>,
    x: Vec<f32>,
    dy: Vec<f32>,
    factor: Vec<f32>,
    y: Vec<f64>,
    dx: Vec<f64>,
}

impl Case {
    fn new(random: &mut Random, rows: usize, inputs: usize, outputs: usize) -> Self {
        // sums of about one size, whatever their length
        let mut scaled = |n: usize, length: usize| -> Vec<f32> {
            let scale = (length as f32).powf(-0.5);
            random.vector(n).iter().map(|v| v * scale).collect()
        };
        let weight = scaled(inputs * outputs, 1);
        let bias = scaled(outputs, 1);
        let (x, dy) = (
            scaled(rows * inputs, inputs),
            scaled(rows * outputs, outputs),
        );
        let factor = scaled(rows * inputs, 1);
        let transposed: Vec<f32> = (0..inputs * outputs)
            .map(|i| weight[i % outputs * inputs + i / outputs])
            .collect();
        Self {
            y: plain_product(&x, inputs, &transposed, &bias),
            dx: plain_product(&dy, outputs, &weight, &vec![0.0; inputs]),
            rows,
            inputs,
            outputs,
            weight,
            bias,
            x,
            dy,
            factor,
        }
    }

    fn layer(&self) -> Linear {
        Linear::new(
            Precision::F32,
            self.inputs,
            self.outputs,
            self.weight.clone(),
            Some(self.bias.clone()),
        )
    }

    /// Every product of a layer one after another: forward with its three ends, then backward.
    fn products(&self, layer: &Linear) -> [Vec<f32>; 7] {
        let (x, dy) = (Operand::F32(&self.x), Operand::F32(&self.dy));
        let matrix =
            |width, floats: &[f32]| Matrix::of(&Arena::default(), Precision::F32, width, floats);
        let (mut y, mut dx) = (self.empty(self.outputs), self.empty(self.inputs));
        layer.forward_into(x, &mut y);
        let mut y_added = self.doubled(&self.y);
        layer.forward_add(x, &mut y_added);
        let mut derivative = matrix(self.outputs, &y);
        let mut activated = matrix(self.outputs, &y);
        layer.forward_activated(
            Activation::QuickGelu,
            x,
            Some(&mut derivative),
            &mut activated,
        );
        layer.backward_into(dy, &mut dx);
        let mut dx_twice = matrix(self.inputs, &self.empty(self.inputs));
        Linear::backward_sum([(layer, dy), (layer, dy)], &mut dx_twice);
        let mut scaled = matrix(self.inputs, &dx);
        let factor = matrix(self.inputs, &self.factor);
        layer.backward_scaled(dy, &factor, &mut scaled);
        let [derivative, activated, dx_twice, scaled] =
            [derivative, activated, dx_twice, scaled].map(|m| m.to_floats());
        [y, y_added, derivative, activated, dx, dx_twice, scaled]
    }

    fn empty(&self, width: usize) -> Vec<f32> {
        vec![f32::NAN; self.rows * width]
    }

    fn doubled(&self, values: &[f64]) -> Vec<f32> {
        values.iter().map(|v| 2.0 * *v as f32).collect()
    }

    fn check(&self, what: &str, products: &[Vec<f32>; 7]) {
        let [y, y_added, derivative, activated, dx, dx_twice, scaled] = products;
        let times = |n: f64, v: &[f64]| -> Vec<f64> { v.iter().map(|v| n * v).collect() };
        let close = |name: &str, got: &[f32], want: &[f64]| {
            assert_close(&format!("{what} {name}"), got, want, 5e-6);
        };
        close("forward", y, &self.y);
        close("forward_add", y_added, &times(3.0, &self.y));
        let sigmoid = |v: f64| 1.0 / (1.0 + (-1.702 * v).exp());
        let want: Vec<f64> = self.y.iter().map(|v| v * sigmoid(*v)).collect();
        close("forward_activated", activated, &want);
        let of = |v: f64| sigmoid(v) * (1.0 + 1.702 * v * (1.0 - sigmoid(v)));
        let want: Vec<f64> = self.y.iter().map(|v| of(*v)).collect();
        close("forward_activated, derivative", derivative, &want);
        close("backward", dx, &self.dx);
        close("backward_sum", dx_twice, &times(2.0, &self.dx));
        let want = self.factor.iter().zip(&self.dx);
        let want: Vec<f64> = want.map(|(s, d)| *s as f64 * d).collect();
        close("backward_scaled", scaled, &want);
    }
}

/// `x w + bias` in f64; `x`: rows x depth, `w`: depth x `bias.len()`.
fn plain_product(x: &[f32], depth: usize, w: &[f32], bias: &[f32]) -> Vec<f64> {
    let mut y = Vec::new();
    for x in x.chunks_exact(depth) {
        let mut sums: Vec<f64> = bias.iter().map(|b| *b as f64).collect();
        for (x, w) in x.iter().zip(w.chunks_exact(bias.len())) {
            for (sum, w) in sums.iter_mut().zip(w) {
                *sum += *x as f64 * *w as f64;
            }
        }
        y.extend(sums);
    }
    y
}

fn bits(products: &[Vec<f32>]) -> Vec<u32> {
    products.iter().flatten().map(|v| v.to_bits()).collect()
}

#[test]
fn every_level_computes_the_products_with_the_same_bits_for_any_number_of_threads() {
    let mut random = Random::new(11);
    let mut shapes = vec![(1, 1, 1), (1, 300, 1), (300, 1, 300), (1576, 768, 3072)];
    for _ in 0..40 {
        let mut size = || SIZES[random.int(0, SIZES.len() - 1)];
        shapes.push((size(), size(), size()));
    }
    shapes.push((9, 1100, 530));
    for (rows, inputs, outputs) in shapes {
        let case = Case::new(&mut random, rows, inputs, outputs);
        let mut vector_bits = Vec::new();
        for level in Isa::available() {
            level.force();
            let what = format!("{level} {rows}x{inputs}x{outputs}");
            let layer = case.layer();
            let products = case.products(&layer);
            case.check(&what, &products);
            let want = bits(&products);
            // the real shape takes seconds a time
            let pools: &[usize] = if rows > 1000 { &[3] } else { &[1, 2, 3, 8] };
            for &threads in pools {
                let got = with_threads(threads, || bits(&case.products(&layer)));
                assert!(got == want, "{what}: other bits with {threads} threads");
            }
            if level > Isa::Portable {
                vector_bits.push((level, want));
            }
        }
        for pair in vector_bits.windows(2) {
            let [(one, bits), (other, other_bits)] = pair else {
                unreachable!("windows of two")
            };
            assert!(
                bits == other_bits,
                "{rows}x{inputs}x{outputs}: {one} and {other} give other bits"
            );
        }
        a_row_alone_has_the_same_bits(&case);
    }
}

/// At the best level.
fn a_row_alone_has_the_same_bits(case: &Case) {
    let layer = case.layer();
    let (inputs, outputs) = (case.inputs, case.outputs);
    let (mut y, mut dx) = (case.empty(outputs), case.empty(inputs));
    layer.forward_into(Operand::F32(&case.x), &mut y);
    layer.backward_into(Operand::F32(&case.dy), &mut dx);
    for row in [0, case.rows / 2, case.rows - 1] {
        let (mut alone, mut back) = (vec![0.0; outputs], vec![0.0; inputs]);
        let x = Operand::F32(&case.x[row * inputs..][..inputs]);
        layer.forward_into(x, &mut alone);
        let dy = Operand::F32(&case.dy[row * outputs..][..outputs]);
        layer.backward_into(dy, &mut back);
        assert_eq!(alone, y[row * outputs..][..outputs], "row {row} forward");
        assert_eq!(back, dx[row * inputs..][..inputs], "row {row} backward");
    }
}
