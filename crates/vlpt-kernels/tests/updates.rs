//! Low-rank products, scale and shift, and what stands around them, against plain code and finite
//! differences.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Random, assert_close, check_gradient, relative_error, same_bits_for_any_threads};
use vlpt_kernels::{
    Activation, Arena, Columns, Dropout, Linear, LowRank, LowRankInput, Matrix, Operand, Precision,
    ScaleShift,
};

/// Rows that are not whole parts of a sum, and a layer whose outputs are some columns of wider rows.
const ROWS: usize = 150;
const INPUTS: usize = 37;
const OUTPUTS: usize = 21;
const RANK: usize = 3;
const COLUMNS: Columns = Columns {
    width: 50,
    first: 9,
};

struct Numbers {
    x: Vec<f32>,
    a: Vec<f32>,
    b: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    keys: Vec<u64>,
    dy: Vec<f32>,
}

impl Numbers {
    fn new() -> Self {
        let mut random = Random::new(3);
        Self {
            x: random.vector(ROWS * INPUTS),
            a: random.vector(RANK * INPUTS),
            b: random.vector(OUTPUTS * RANK),
            weight: random.vector(INPUTS),
            bias: random.vector(INPUTS),
            keys: (0..ROWS as u64).map(|i| i * i).collect(),
            dy: random.vector(ROWS * COLUMNS.width),
        }
    }

    fn input<'a>(&'a self, rows: Operand<'a>) -> LowRankInput<'a> {
        LowRankInput {
            rows,
            affine: Some((&self.weight, &self.bias)),
            dropout: Some(Dropout {
                rate: 0.3,
                seed: 5,
                keys: &self.keys,
            }),
        }
    }

    fn forward(&self, x: Operand, a: &[f32], b: &[f32]) -> Vec<f32> {
        let product = LowRank {
            a,
            b,
            rank: RANK,
            scale: 0.7,
        };
        let mut y = vec![0.5; ROWS * COLUMNS.width];
        product.forward_add(self.input(x), &mut y, COLUMNS);
        y
    }

    /// Gradients of `A`, `B` and the input.
    fn backward(&self, x: Operand) -> [Vec<f32>; 3] {
        let product = LowRank {
            a: &self.a,
            b: &self.b,
            rank: RANK,
            scale: 0.7,
        };
        let mut d_a = vec![0.0; self.a.len()];
        let mut d_b = vec![0.0; self.b.len()];
        let mut dx = vec![0.0; ROWS * INPUTS];
        product.backward_add(
            &Arena::default(),
            self.input(x),
            (&self.dy, COLUMNS),
            (&mut d_a, &mut d_b),
            Some(&mut dx),
        );
        [d_a, d_b, dx]
    }
}

#[test]
fn a_low_rank_product_is_that_of_plain_code() {
    let numbers = Numbers::new();
    let mut random = Random::new(8);
    let x = random.vector(ROWS * INPUTS);
    let plain = LowRankInput {
        rows: Operand::F32(&x),
        affine: None,
        dropout: None,
    };
    let product = LowRank {
        a: &numbers.a,
        b: &numbers.b,
        rank: RANK,
        scale: 0.7,
    };
    let mut y = vec![0.0; ROWS * COLUMNS.width];
    product.forward_add(plain, &mut y, COLUMNS);
    let mut want = vec![0.0; y.len()];
    for row in 0..ROWS {
        for output in 0..OUTPUTS {
            for k in 0..RANK {
                let thin: f64 = (0..INPUTS)
                    .map(|i| f64::from(x[row * INPUTS + i]) * f64::from(numbers.a[k * INPUTS + i]))
                    .sum();
                want[row * COLUMNS.width + COLUMNS.first + output] +=
                    0.7 * thin * f64::from(numbers.b[output * RANK + k]);
            }
        }
    }
    assert_close("product", &y, &want, 1e-5);
}

#[test]
fn gradients_of_a_low_rank_product_are_finite_differences() {
    let numbers = Numbers::new();
    let mut random = Random::new(4);
    let x = Operand::F32(&numbers.x);
    let [d_a, d_b, dx] = numbers.backward(x);
    let f = |a: &[f32]| numbers.forward(x, a, &numbers.b);
    check_gradient("A", &mut random, &numbers.a, &numbers.dy, f, &d_a);
    let f = |b: &[f32]| numbers.forward(x, &numbers.a, b);
    check_gradient("B", &mut random, &numbers.b, &numbers.dy, f, &d_b);
    let f = |x: &[f32]| numbers.forward(Operand::F32(x), &numbers.a, &numbers.b);
    check_gradient("input", &mut random, &numbers.x, &numbers.dy, f, &dx);
}

#[test]
fn a_low_rank_product_reads_both_formats() {
    let numbers = Numbers::new();
    let arena = Arena::default();
    let rounded = Matrix::of(&arena, Precision::Bf16, INPUTS, &numbers.x);
    let widened = rounded.to_floats();
    let (rounded, exact) = (rounded.operand(), Operand::F32(&numbers.x));
    let forward = |x| numbers.forward(x, &numbers.a, &numbers.b);
    assert!(relative_error(&forward(rounded), &forward(exact)) < 1e-2);
    assert_eq!(forward(rounded), forward(Operand::F32(&widened)));
    for (got, want) in numbers
        .backward(rounded)
        .iter()
        .zip(numbers.backward(exact))
    {
        assert!(relative_error(got, &want) < 1e-2);
    }
}

#[test]
fn a_product_with_zeros_leaves_every_bit() {
    let numbers = Numbers::new();
    let zeros = vec![0.0; numbers.b.len()];
    let y = numbers.forward(Operand::F32(&numbers.x), &numbers.a, &zeros);
    assert!(y.iter().all(|y| y.to_bits() == 0.5f32.to_bits()));
}

#[test]
fn threads_change_no_bit() {
    let numbers = Numbers::new();
    same_bits_for_any_threads("low-rank product", || {
        let x = Operand::F32(&numbers.x);
        let mut results = numbers.forward(x, &numbers.a, &numbers.b);
        results.extend(numbers.backward(x).concat());
        results
    });
    let mut random = Random::new(5);
    let y = random.vector(ROWS * COLUMNS.width);
    same_bits_for_any_threads("scale and shift", || {
        scale_shift_backward(&numbers, &y).concat()
    });
}

fn scale_shift(numbers: &Numbers) -> ScaleShift<'_> {
    ScaleShift {
        scale: &numbers.weight,
        shift: &numbers.bias,
    }
}

/// Gradients of `y`, of the factors and of the terms.
fn scale_shift_backward(numbers: &Numbers, y: &[f32]) -> [Vec<f32>; 3] {
    let mut dy = numbers.dy.clone();
    let (mut d_scale, mut d_shift) = (vec![0.0; INPUTS], vec![0.0; INPUTS]);
    let gradients = (&mut d_scale[..], &mut d_shift[..]);
    scale_shift(numbers).backward(&Arena::default(), y, &mut dy, COLUMNS, gradients);
    [dy, d_scale, d_shift]
}

#[test]
fn gradients_of_scale_and_shift_are_finite_differences() {
    let numbers = Numbers::new();
    let mut random = Random::new(6);
    let y = random.vector(ROWS * COLUMNS.width);
    let forward = |y: &[f32], scale: &[f32], shift: &[f32]| {
        let mut y = y.to_vec();
        ScaleShift { scale, shift }.forward(&mut y, COLUMNS);
        y
    };
    let [dy, d_scale, d_shift] = scale_shift_backward(&numbers, &y);
    let (scale, shift, weight) = (&numbers.weight, &numbers.bias, &numbers.dy);
    let f = |y: &[f32]| forward(y, scale, shift);
    check_gradient("y", &mut random, &y, weight, f, &dy);
    let f = |scale: &[f32]| forward(&y, scale, shift);
    check_gradient("scale", &mut random, scale, weight, f, &d_scale);
    let f = |shift: &[f32]| forward(&y, scale, shift);
    check_gradient("shift", &mut random, shift, weight, f, &d_shift);
}

#[test]
fn activations_of_floats_have_the_bits_of_those_behind_a_product() {
    let mut random = Random::new(7);
    let arena = Arena::default();
    for (rows, inputs, outputs) in [(40, 33, 70), (5, 64, 96), (33, 20, 31)] {
        let (x, weight) = (
            random.vector(rows * inputs),
            random.vector(outputs * inputs),
        );
        let bias = random.vector(outputs);
        for precision in [Precision::F32, Precision::Bf16] {
            let (weight, bias) = (weight.clone(), Some(bias.clone()));
            let layer = Linear::new(precision, inputs, outputs, weight, bias);
            let x = Matrix::of(&arena, precision, inputs, &x);
            for activation in [Activation::QuickGelu, Activation::Gelu] {
                let new = || Matrix::new(&arena, precision, rows, outputs);
                let (mut derivative, mut act) = (new(), new());
                layer.forward_activated(activation, x.operand(), Some(&mut derivative), &mut act);
                let mut sums = vec![0.0; rows * outputs];
                layer.forward_into(x.operand(), &mut sums);
                let (mut own_derivative, mut own) = (new(), new());
                activation.forward_rows(&sums, &mut own);
                activation.derivative_rows(&sums, &mut own_derivative);
                let what = format!("{precision:?} {activation:?} {rows} {outputs}");
                assert_eq!(own.to_floats(), act.to_floats(), "{what}");
                assert_eq!(own_derivative.to_floats(), derivative.to_floats(), "{what}");
            }
        }
    }
}
