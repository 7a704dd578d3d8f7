//! What operations compute, and what they refuse.

#![allow(clippy::unwrap_used)]

mod common;

use common::numbers;
use vlpt_autograd::{Result, Tensor, TensorError};

fn tensor(values: &[f32], shape: &[usize]) -> Tensor {
    Tensor::new(values.to_vec(), shape).unwrap()
}

/// 0, 1, 2, ... of this shape.
fn range(shape: &[usize]) -> Tensor {
    let values: Vec<f32> = (0..shape.iter().product()).map(|i| i as f32).collect();
    tensor(&values, shape)
}

fn assert_close(found: &Tensor, expected: impl IntoIterator<Item = f64>) {
    let expected: Vec<f64> = expected.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.to_vec().into_iter().zip(expected) {
        let error = (f64::from(found) - expected).abs();
        assert!(error < 1e-6 * (1.0 + expected.abs()), "{found} {expected}");
    }
}

#[test]
fn operands_are_broadcast() {
    let (column, row) = (
        tensor(&[10.0, 20.0], &[2, 1]),
        tensor(&[1.0, 2.0, 4.0], &[3]),
    );
    let sum = (&column + &row).unwrap();
    assert_eq!(sum.shape(), [2, 3]);
    assert_eq!(sum.to_vec(), [11.0, 12.0, 14.0, 21.0, 22.0, 24.0]);
    let quotient = (&column / &row).unwrap();
    assert_eq!(quotient.to_vec(), [10.0, 5.0, 2.5, 20.0, 10.0, 5.0]);
    let number = tensor(&[2.0], &[]);
    assert_eq!((&row * &number).unwrap().to_vec(), [2.0, 4.0, 8.0]);
    assert_eq!((&number - &row).unwrap().to_vec(), [1.0, 0.0, -2.0]);
    assert_eq!((row / 2.0 - 1.0).to_vec(), [-0.5, 0.0, 1.0]);
}

#[test]
fn functions_have_the_values_of_their_formulas() {
    let x = tensor(&numbers(40, 3), &[5, 8]) * 4.0;
    let of = |f: fn(f64) -> f64| x.to_vec().into_iter().map(move |x| f(f64::from(x)));
    assert_close(&x.sigmoid(), of(|x| 1.0 / (1.0 + (-x).exp())));
    assert_close(&x.quick_gelu(), of(|x| x / (1.0 + (-1.702 * x).exp())));
    assert_close(&x.tanh(), of(f64::tanh));
    assert_close(&x.relu(), of(|x| x.max(0.0)));
    assert_close(&x.abs().log(), of(|x| x.abs().ln()));
    // Abramowitz and Stegun, table 26.1: the normal distribution at 1 and -2.
    let gelu = tensor(&[0.0, 1.0, -2.0], &[3]).gelu();
    assert_close(&gelu, [0.0, 0.841_344_746, -2.0 * 0.022_750_132]);
    // Far out nothing overflows.
    let far = tensor(&[-1e4, 1e4], &[2]);
    assert_eq!(far.sigmoid().to_vec(), [0.0, 1.0]);
    assert_eq!(far.quick_gelu().to_vec(), [0.0, 1e4]);
}

#[test]
fn rows_have_the_values_of_their_formulas() {
    let width = 37;
    let x = tensor(&numbers(2 * width, 3), &[2, width]);
    let rows: Vec<Vec<f64>> = x
        .to_vec()
        .chunks(width)
        .map(|row| row.iter().map(|&x| f64::from(x)).collect())
        .collect();
    let of = |f: &dyn Fn(&[f64], f64) -> f64| -> Vec<f64> {
        let row = |row: &Vec<f64>| row.iter().map(|&x| f(row, x)).collect::<Vec<_>>();
        rows.iter().flat_map(row).collect()
    };
    let powers = |row: &[f64]| row.iter().map(|x| x.exp()).sum::<f64>();
    assert_close(&x.softmax().unwrap(), of(&|row, x| x.exp() / powers(row)));
    assert_close(
        &x.log_softmax().unwrap(),
        of(&|row, x| x - powers(row).ln()),
    );
    let length = |row: &[f64]| row.iter().map(|x| x * x).sum::<f64>().sqrt();
    assert_close(&x.l2_normalise().unwrap(), of(&|row, x| x / length(row)));
    let (weight, bias) = (tensor(&[2.0; 37], &[37]), tensor(&[0.5; 37], &[37]));
    let norm = |row: &[f64], x: f64| {
        let mean = row.iter().sum::<f64>() / width as f64;
        let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        (x - mean) / (variance + 1e-5).sqrt() * 2.0 + 0.5
    };
    assert_close(&x.layer_norm(&weight, &bias, 1e-5).unwrap(), of(&norm));
    // Large logits do not overflow, and a row of zeros stays one.
    let large = tensor(&[1000.0, 999.0, -1000.0], &[1, 3]);
    let power = 1.0 / (1.0 + (-1.0_f64).exp());
    assert_close(&large.softmax().unwrap(), [power, 1.0 - power, 0.0]);
    assert_close(
        &large.log_softmax().unwrap(),
        [power.ln(), power.ln() - 1.0, power.ln() - 2000.0],
    );
    let nothing = Tensor::zeros(&[1, 3]).unwrap();
    assert_eq!(nothing.l2_normalise().unwrap().to_vec(), [0.0; 3]);
}

#[test]
fn parts_are_taken_and_put_together() {
    let x = range(&[2, 3, 2]);
    assert_eq!(
        x.narrow(1, 1, 2).unwrap().to_vec(),
        [2.0, 3.0, 4.0, 5.0, 8.0, 9.0, 10.0, 11.0]
    );
    assert_eq!(
        x.select(-1, 1).unwrap().to_vec(),
        [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]
    );
    assert_eq!(x.select(0, 1).unwrap().shape(), [3, 2]);
    let y = range(&[2, 2]);
    assert_eq!(
        y.index_select(&[1, 1, 0]).unwrap().to_vec(),
        [2.0, 3.0, 2.0, 3.0, 0.0, 1.0]
    );
    assert_eq!(y.transpose().unwrap().to_vec(), [0.0, 2.0, 1.0, 3.0]);
    assert_eq!(
        Tensor::cat(&[&y, &y], 0).unwrap().to_vec(),
        [0.0, 1.0, 2.0, 3.0].repeat(2)
    );
    assert_eq!(
        Tensor::cat(&[&y, &y], 1).unwrap().to_vec(),
        [0.0, 1.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0]
    );
    assert_eq!(Tensor::stack(&[&y, &y], 1).unwrap().shape(), [2, 2, 2]);
    assert_eq!(
        y.repeat(1, 2).unwrap().to_vec(),
        [0.0, 1.0, 0.0, 1.0, 2.0, 3.0, 2.0, 3.0]
    );
    assert_eq!(y.matmul(&y).unwrap().to_vec(), [2.0, 3.0, 6.0, 11.0]);
    assert_eq!(y.matmul_nt(&y).unwrap().to_vec(), [1.0, 3.0, 3.0, 13.0]);
    assert_eq!(y.matmul_tn(&y).unwrap().to_vec(), [4.0, 6.0, 6.0, 10.0]);
}

#[test]
fn tensors_without_values_are_tensors_too() {
    let empty = Tensor::zeros(&[2, 0]).unwrap();
    assert!(empty.is_empty());
    assert_eq!(empty.sum(1).unwrap().to_vec(), [0.0, 0.0]);
    assert_eq!(empty.softmax().unwrap().shape(), [2, 0]);
    assert_eq!(empty.l2_normalise().unwrap().shape(), [2, 0]);
    assert_eq!(empty.transpose().unwrap().shape(), [0, 2]);
    assert_eq!(
        empty.add(&Tensor::zeros(&[2, 1]).unwrap()).unwrap().shape(),
        [2, 0]
    );
    assert_eq!(empty.narrow(0, 1, 1).unwrap().shape(), [1, 0]);
    assert!(empty.mean_all().item().unwrap().is_nan());
    let row = Tensor::zeros(&[0, 3]).unwrap();
    assert_eq!(empty.matmul(&row).unwrap().to_vec(), [0.0; 6]);
    assert_eq!(row.sum(0).unwrap().to_vec(), [0.0; 3]);
}

#[test]
fn what_does_not_fit_is_named() {
    let (x, y) = (range(&[2, 3]), range(&[2, 2]));
    let long = [1, 1, 1, 1, 2];
    let cases: [(Result<Tensor>, &str); 21] = [
        (
            &x + &y,
            "add: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            &x - &y,
            "sub: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            &x * &y,
            "mul: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            &x / &y,
            "div: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            x.matmul(&y),
            "matmul: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            x.matmul_nt(&y),
            "matmul_nt: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            x.matmul_tn(&range(&[3, 2])),
            "matmul_tn: the shapes [2, 3] and [3, 2] do not fit each other",
        ),
        (
            x.matmul(&range(&[3])),
            "matmul: the shapes [2, 3] and [3] do not fit each other",
        ),
        (x.sum(2), "sum: the shape [2, 3] has no axis 2"),
        (x.mean(-3), "mean: the shape [2, 3] has no axis -3"),
        (x.reshape(&[5]), "reshape: found 6 values for the shape [5]"),
        (
            x.squeeze(0),
            "squeeze: found the shape [2, 3], expected length 1 along axis 0",
        ),
        (
            range(&[3]).transpose(),
            "transpose: found the shape [3], expected at least 2 axes",
        ),
        (
            x.broadcast_to(&[2, 6]),
            "broadcast_to: the shapes [2, 3] and [2, 6] do not fit each other",
        ),
        (
            x.broadcast_to(&[3]),
            "broadcast_to: the shapes [2, 3] and [3] do not fit each other",
        ),
        (x.narrow(1, 2, 2), "narrow: found 2 to 4 of an axis of 3"),
        (
            x.index_select(&[0, 2]),
            "index_select: found 2 to 3 of an axis of 2",
        ),
        (
            Tensor::cat(&[&x, &y], 0),
            "cat: the shapes [2, 3] and [2, 2] do not fit each other",
        ),
        (
            Tensor::cat::<Tensor>(&[], 0),
            "cat: found no tensor, expected at least one",
        ),
        (
            Tensor::new(vec![1.0], &[2]),
            "tensor: found 1 values for the shape [2]",
        ),
        (
            Tensor::zeros(&long),
            "tensor: found the shape [1, 1, 1, 1, 2], expected at most 4 axes",
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found.unwrap_err().to_string(), expected);
    }
    assert!(x.reshape(&[usize::MAX, 2]).is_err());
    assert!(range(&[1, 1, 1, 2]).unsqueeze(0).is_err());
    assert!(Tensor::zeros(&[]).unwrap().softmax().is_err());
    assert!(Tensor::custom(&[], vec![0.0], &[2], |_, _| Ok(())).is_err());
    assert!(matches!(
        x.item(),
        Err(TensorError::Shape {
            operation: "item",
            ..
        })
    ));
    assert_eq!(x.dims::<2>(), Ok([2, 3]));
    assert!(x.dims::<3>().is_err());
}
