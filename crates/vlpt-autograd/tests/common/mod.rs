//! Numbers to try operations on, and central differences.

#![allow(dead_code)] // each test file uses its part

use vlpt_autograd::{Result, Tensor, Var, vjp};

/// `count` numbers between -1 and 1 that look random, none nearer to 0 than 0.02.
pub(crate) fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let number = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
        number + 0.02_f32.copysign(number)
    };
    (0..count).map(|_| next()).collect()
}

/// Variables of these shapes.
pub(crate) fn variables(shapes: &[&[usize]]) -> Vec<Var> {
    let of = |(i, shape): (usize, &&[usize])| {
        let count = shape.iter().product();
        Var::new(numbers(count, i as u32 + 1), shape).unwrap()
    };
    shapes.iter().enumerate().map(of).collect()
}

/// Compares the gradients of a function of these variables with central differences of a weighted
/// sum of its values, element by element.
///
/// # Panics
/// When one is off by more than a thousandth of the largest.
pub(crate) fn check(what: &str, inputs: &[Var], function: impl Fn(&[Var]) -> Result<Tensor>) {
    let result = function(inputs).unwrap();
    let weights = numbers(result.len(), 99);
    let mut gradients = vjp(&[(&result, &weights)]).unwrap();
    let objective = || -> f64 {
        let values = function(inputs).unwrap().values();
        let terms = values.iter().zip(&weights);
        terms.map(|(&v, &w)| f64::from(v) * f64::from(w)).sum()
    };
    for (number, input) in inputs.iter().enumerate() {
        let gradient = gradients.take(input).expect("a gradient of every input");
        let start = input.to_vec();
        assert_eq!(gradient.len(), start.len());
        let largest = gradient.iter().fold(1e-2_f32, |m, g| m.max(g.abs()));
        for index in 0..start.len() {
            let slope = |step: f32| {
                let at = |step: f32| {
                    let mut moved = start.clone();
                    moved[index] += step;
                    input.set(&moved).unwrap();
                    (objective(), f64::from(moved[index]))
                };
                let ((high, above), (low, below)) = (at(step), at(-step));
                (high - low) / (above - below)
            };
            // Two step widths, so that the error of third order goes.
            let slope = (4.0 * slope(1.0 / 128.0) - slope(1.0 / 64.0)) / 3.0;
            let found = f64::from(gradient[index]);
            assert!(
                (slope - found).abs() <= 1e-3 * f64::from(largest),
                "{what}, input {number}, element {index}: slope {slope}, gradient {found}"
            );
        }
        input.set(&start).unwrap();
    }
}
