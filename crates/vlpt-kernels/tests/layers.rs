//! Linear layers, layer norm and activations against plain f64 code and finite differences.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use common::{Random, assert_close, check_gradient, same_bits_for_any_threads};
use vlpt_kernels::{Activation, Arena, LayerNorm, Linear, Matrix, Operand, Precision};

fn linear(random: &mut Random, inputs: usize, outputs: usize) -> (Linear, Vec<f32>, Vec<f32>) {
    let (weight, bias) = (random.vector(inputs * outputs), random.vector(outputs));
    (
        Linear::new(
            Precision::F32,
            inputs,
            outputs,
            weight.clone(),
            Some(bias.clone()),
        ),
        weight,
        bias,
    )
}

/// The layer's output, in f32.
fn forward(layer: &Linear, x: &[f32]) -> Vec<f32> {
    let mut y = vec![f32::NAN; x.len() / layer.inputs() * layer.outputs()];
    layer.forward_into(Operand::F32(x), &mut y);
    y
}

/// The gradient of its input.
fn backward(layer: &Linear, dy: &[f32]) -> Vec<f32> {
    let mut dx = vec![f32::NAN; dy.len() / layer.outputs() * layer.inputs()];
    layer.backward_into(Operand::F32(dy), &mut dx);
    dx
}

fn matrix(width: usize, floats: &[f32]) -> Matrix {
    Matrix::of(&Arena::default(), Precision::F32, width, floats)
}

fn plain_linear(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f64> {
    let inputs = weight.len() / bias.len();
    let mut y = Vec::new();
    for x in x.chunks_exact(inputs) {
        for (w, b) in weight.chunks_exact(inputs).zip(bias) {
            y.push(
                x.iter()
                    .zip(w)
                    .map(|(x, w)| *x as f64 * *w as f64)
                    .sum::<f64>()
                    + *b as f64,
            );
        }
    }
    y
}

#[test]
fn a_linear_layer_is_the_product_plus_the_bias() {
    let mut random = Random::new(1);
    for (rows, inputs, outputs) in [
        (1, 1, 1),
        (1, 64, 48),
        (7, 5, 3),
        (200, 33, 300),
        (193, 16, 257),
    ] {
        let (layer, weight, bias) = linear(&mut random, inputs, outputs);
        let x = random.vector(rows * inputs);
        let want = plain_linear(&x, &weight, &bias);
        let y = forward(&layer, &x);
        assert_close("forward_into", &y, &want, 1e-5);
        let mut same = matrix(outputs, &y);
        same.set(&vec![f32::NAN; rows * outputs]);
        layer.forward(Operand::F32(&x), &mut same);
        assert_eq!(same.to_floats(), y, "forward");
        let mut sum = y;
        layer.forward_add(Operand::F32(&x), &mut sum);
        let twice: Vec<f64> = want.iter().map(|y| 2.0 * y).collect();
        assert_close("forward_add", &sum, &twice, 1e-5);
    }
}

#[test]
fn the_fused_activation_is_the_activation_of_the_layer() {
    let mut random = Random::new(2);
    let (rows, inputs, outputs) = (195, 12, 300);
    let (layer, ..) = linear(&mut random, inputs, outputs);
    let x = random.vector(rows * inputs);
    for activation in [Activation::QuickGelu, Activation::Gelu] {
        let plain = forward(&layer, &x);
        let mut want = vec![0.0; rows * outputs];
        activation.forward(&plain, &mut want);
        let (mut derivative, mut y) = (matrix(outputs, &plain), matrix(outputs, &plain));
        layer.forward_activated(activation, Operand::F32(&x), Some(&mut derivative), &mut y);
        assert_eq!(y.to_floats(), want);
        let mut derivatives = plain;
        activation.derivative(&mut derivatives);
        assert_eq!(derivative.to_floats(), derivatives);
        let mut alone = matrix(outputs, &vec![f32::NAN; rows * outputs]);
        layer.forward_derivative(activation, Operand::F32(&x), &mut alone);
        assert_eq!(alone.to_floats(), derivatives);

        let (next, ..) = linear(&mut random, outputs, 7);
        let dy = random.vector(rows * 7);
        let mut want = backward(&next, &dy);
        want.iter_mut().zip(&derivatives).for_each(|(d, s)| *d *= s);
        let mut dx = matrix(outputs, &vec![f32::NAN; rows * outputs]);
        next.backward_scaled(Operand::F32(&dy), &derivative, &mut dx);
        assert_eq!(dx.to_floats(), want);
    }
}

#[test]
fn gradients_of_layers_are_their_finite_differences() {
    let mut random = Random::new(3);
    for round in 0..5 {
        let rows = random.int(1, 40);
        let (inputs, outputs) = (random.int(2, 70), random.int(1, 50));
        let (layer, ..) = linear(&mut random, inputs, outputs);
        let (x, dy) = (random.vector(rows * inputs), random.vector(rows * outputs));
        let dx = backward(&layer, &dy);
        let f = |x: &[f32]| forward(&layer, x);
        check_gradient("linear", &mut random, &x, &dy, f, &dx);
        let mut same = matrix(inputs, &vec![f32::NAN; x.len()]);
        layer.backward(Operand::F32(&dy), &mut same);
        assert_eq!(same.to_floats(), dx, "backward");
        let (other, ..) = linear(&mut random, inputs, 7);
        let dy_other = random.vector(rows * 7);
        let both = [
            (&layer, Operand::F32(&dy)),
            (&other, Operand::F32(&dy_other)),
        ];
        Linear::backward_sum(both, &mut same);
        let d_other = backward(&other, &dy_other);
        let sum = dx.iter().zip(&d_other);
        let sum: Vec<f64> = sum.map(|(a, b)| f64::from(*a) + f64::from(*b)).collect();
        assert_close("backward_sum", &same.to_floats(), &sum, 1e-5);

        let norm = LayerNorm::new(random.vector(inputs), random.vector(inputs), 1e-5);
        let dy = random.vector(rows * inputs);
        let mut dx = vec![0.0; x.len()];
        norm.backward_add(&x, &dy, &mut dx);
        let f = |x: &[f32]| {
            let mut y = x.to_vec();
            norm.forward(&mut y);
            y
        };
        if inputs > 4 {
            check_gradient(&format!("layer norm {round}"), &mut random, &x, &dy, f, &dx);
        }

        for activation in [Activation::QuickGelu, Activation::Gelu] {
            let mut dx = x.clone();
            activation.derivative(&mut dx);
            dx.iter_mut().zip(&dy).for_each(|(d, dy)| *d *= dy);
            let f = |x: &[f32]| {
                let mut y = vec![0.0; x.len()];
                activation.forward(x, &mut y);
                y
            };
            check_gradient("activation", &mut random, &x, &dy, f, &dx);
        }
    }
}

#[test]
fn a_layer_norm_folded_into_the_next_layer_changes_nothing() {
    let mut random = Random::new(6);
    for (rows, width, outputs) in [(1, 1, 1), (20, 33, 7), (50, 96, 40)] {
        let (weight, bias) = (random.vector(width), random.vector(width));
        let norm = LayerNorm::new(weight, bias, 1e-5);
        let (weight, bias) = (random.vector(outputs * width), random.vector(outputs));
        let new = |weight, bias| Linear::new(Precision::F32, width, outputs, weight, Some(bias));
        let layer = new(weight.clone(), bias.clone());
        let (mut weight, mut bias) = (weight, bias);
        let standard = norm.clone().fold_into(&mut weight, &mut bias);
        let folded = new(weight, bias);

        let (x, dy) = (random.vector(rows * width), random.vector(rows * outputs));
        let mut h = x.clone();
        norm.forward(&mut h);
        let (mut z, mut scales) = (matrix(width, &x), vec![0.0; rows]);
        standard.forward(&x, &mut z, &mut scales);
        let want: Vec<f64> = forward(&layer, &h).iter().map(|y| *y as f64).collect();
        assert_close("folded", &forward(&folded, &z.to_floats()), &want, 1e-5);

        let mut dx = vec![0.0; x.len()];
        norm.backward_add(&x, &backward(&layer, &dy), &mut dx);
        let want: Vec<f64> = dx.iter().map(|d| *d as f64).collect();
        let (dz, mut dx) = (backward(&folded, &dy), vec![0.0; x.len()]);
        standard.backward_add((&z, &scales), Operand::F32(&dz), &mut dx, None);
        assert_close("folded, backward", &dx, &want, 1e-5);
    }
}

#[test]
fn layer_norm_gives_mean_bias_and_deviation_weight() {
    let mut random = Random::new(4);
    let width = 37;
    let norm = LayerNorm::new(vec![2.0; width], vec![0.5; width], 0.0);
    let mut y: Vec<f32> = random
        .vector(5 * width)
        .iter()
        .map(|x| 3.0 * x + 100.0)
        .collect();
    norm.forward(&mut y);
    for row in y.chunks_exact(width) {
        let mean = row.iter().sum::<f32>() / width as f32;
        let variance = row.iter().map(|y| (y - mean) * (y - mean)).sum::<f32>() / width as f32;
        assert!(
            (mean - 0.5).abs() < 1e-4 && (variance - 4.0).abs() < 1e-3,
            "{mean} {variance}"
        );
    }
}

#[test]
fn activations_agree_with_pytorch() {
    // torch.nn.functional.gelu(x) and x * torch.sigmoid(1.702 * x), in f64
    let table: [(f32, f64, f64); 8] = [
        (-6.0, -5.919_525_869e-9, -2.203_535_497_9e-4),
        (-2.5, -1.552_416_331_4e-2, -3.498_616_506_7e-2),
        (-1.0, -1.586_552_539_3e-1, -1.542_042_340_7e-1),
        (-0.1, -4.601_721_627_2e-2, -4.575_524_191_6e-2),
        (0.0, 0.0, 0.0),
        (0.3, 1.853_734_266_7e-1, 1.874_841_353_8e-1),
        (1.0, 8.413_447_460_7e-1, 8.457_957_659_3e-1),
        (4.0, 3.999_873_315, 3.995_585_275_9),
    ];
    for (x, gelu, quick) in table {
        for (activation, want) in [(Activation::Gelu, gelu), (Activation::QuickGelu, quick)] {
            let mut y = [0.0];
            activation.forward(&[x], &mut y);
            let error = (y[0] as f64 - want).abs();
            assert!(
                error < 3e-7 * (1.0 + x.abs() as f64),
                "{activation:?}({x}) = {}, not {want}",
                y[0]
            );
        }
    }
}

#[test]
fn layers_give_the_same_bits_for_any_number_of_threads() {
    let mut random = Random::new(5);
    let (rows, inputs, outputs) = (450, 96, 520);
    let (layer, ..) = linear(&mut random, inputs, outputs);
    let norm = LayerNorm::new(random.vector(inputs), random.vector(inputs), 1e-5);
    let (x, dy) = (random.vector(rows * inputs), random.vector(rows * outputs));
    same_bits_for_any_threads("layers", || {
        let mut h = x.clone();
        norm.forward(&mut h);
        let (mut derivative, mut y) = (matrix(outputs, &dy), matrix(outputs, &dy));
        layer.forward_activated(
            Activation::QuickGelu,
            Operand::F32(&h),
            Some(&mut derivative),
            &mut y,
        );
        let (mut dx, mut y) = (backward(&layer, &dy), y.to_floats());
        norm.backward_add(&x, &h, &mut dx);
        y.extend(dx);
        y
    });
}

#[test]
fn a_row_of_a_product_does_not_depend_on_the_rows_beside_it() {
    let mut random = Random::new(6);
    let (rows, inputs, outputs) = (192, 64, 256);
    let (layer, ..) = linear(&mut random, inputs, outputs);
    let mut x = random.vector(rows * inputs);
    let y = forward(&layer, &x);
    let row = y[5 * outputs..6 * outputs].to_vec();
    for (i, x) in x.iter_mut().enumerate() {
        if i / inputs != 5 {
            *x *= -3.0;
        }
    }
    let y = forward(&layer, &x);
    assert_eq!(row, y[5 * outputs..6 * outputs]);
}
