//! The gradient of every operation against central differences.

#![allow(clippy::unwrap_used)]

mod common;

use common::{check, numbers, variables};
use vlpt_autograd::{Tensor, Var};

/// Variables of one shape with values between 0.5 and 1.5.
fn positive(shape: &[usize]) -> Vec<Var> {
    let count = shape.iter().product();
    let values = numbers(count, 5).iter().map(|x| 1.0 + 0.5 * x).collect();
    vec![Var::new(values, shape).unwrap()]
}

#[test]
fn sums_products_and_quotients_in_every_kind_of_broadcast() {
    let shapes: [(&[usize], &[usize]); 9] = [
        (&[2, 3], &[2, 3]),
        (&[2, 3], &[3]),
        (&[3], &[2, 3]),
        (&[2, 3], &[2, 1]),
        (&[2, 1], &[1, 3]),
        (&[2, 3], &[]),
        (&[2, 1, 3], &[1, 2, 3]),
        (&[2, 1, 2, 1], &[3, 1, 2]),
        (&[1], &[1, 1]),
    ];
    for (left, right) in shapes {
        let inputs = variables(&[left, right]);
        let what = format!("{left:?} {right:?}");
        check(&what, &inputs, |x| &*x[0] + &*x[1]);
        check(&what, &inputs, |x| &*x[0] - &*x[1]);
        check(&what, &inputs, |x| &*x[0] * &*x[1]);
        // away from a division by 0
        check(&what, &inputs, |x| &*x[0] / (&*x[1] * 0.25 + 1.0));
    }
}

#[test]
fn operations_with_a_number() {
    let x = variables(&[&[2, 3]]);
    check("+", &x, |x| Ok(&*x[0] + 0.5));
    check("-", &x, |x| Ok(&*x[0] - 0.5));
    check("*", &x, |x| Ok(&*x[0] * -1.5));
    check("/", &x, |x| Ok(&*x[0] / 3.0));
    check("neg", &x, |x| Ok(-&*x[0]));
}

#[test]
fn functions_of_single_elements() {
    let x = variables(&[&[3, 5]]);
    check("abs", &x, |x| Ok(x[0].abs()));
    check("sqr", &x, |x| Ok(x[0].sqr()));
    check("exp", &x, |x| Ok(x[0].exp()));
    check("tanh", &x, |x| Ok(x[0].tanh()));
    check("sigmoid", &x, |x| Ok((&*x[0] * 3.0).sigmoid()));
    check("relu", &x, |x| Ok(x[0].relu()));
    check("gelu", &x, |x| Ok((&*x[0] * 2.0).gelu()));
    check("quick gelu", &x, |x| Ok((&*x[0] * 2.0).quick_gelu()));
    let x = positive(&[3, 5]);
    check("sqrt", &x, |x| Ok(x[0].sqrt()));
    check("log", &x, |x| Ok(x[0].log()));
}

#[test]
fn matrix_products_and_their_transposes() {
    for (m, n, k) in [(2, 3, 4), (1, 5, 2), (7, 1, 3), (3, 2, 1)] {
        let what = format!("{m} {n} {k}");
        let x = variables(&[&[m, k], &[k, n]]);
        check(&what, &x, |x| x[0].matmul(&x[1]));
        let x = variables(&[&[m, k], &[n, k]]);
        check(&what, &x, |x| x[0].matmul_nt(&x[1]));
        let x = variables(&[&[k, m], &[k, n]]);
        check(&what, &x, |x| x[0].matmul_tn(&x[1]));
    }
}

#[test]
fn sums_and_means() {
    let x = variables(&[&[2, 3, 4]]);
    check("sum_all", &x, |x| Ok(x[0].sum_all()));
    check("mean_all", &x, |x| Ok(x[0].mean_all()));
    for axis in -3..3 {
        let what = format!("axis {axis}");
        check(&what, &x, |x| x[0].sqr().sum(axis));
        check(&what, &x, |x| x[0].sqr().sum_keepdim(axis));
        check(&what, &x, |x| x[0].sqr().mean(axis));
        check(&what, &x, |x| x[0].sqr().mean_keepdim(axis));
    }
}

#[test]
fn operations_on_rows() {
    let x = variables(&[&[2, 2, 5]]);
    check("softmax", &x, |x| (&*x[0] * 2.0).softmax());
    check("log_softmax", &x, |x| (&*x[0] * 2.0).log_softmax());
    check("l2_normalise", &x, |x| x[0].l2_normalise());
    let x = variables(&[&[3, 6], &[6], &[6]]);
    check("layer_norm", &x, |x| x[0].layer_norm(&x[1], &x[2], 1e-2));
}

#[test]
fn other_shapes_of_the_same_values() {
    let x = variables(&[&[2, 3, 4]]);
    check("reshape", &x, |x| x[0].sqr().reshape(&[4, 6]));
    check("transpose", &x, |x| x[0].sqr().transpose());
    for axis in [0, 2, -1, -2] {
        check("unsqueeze", &x, |x| {
            let longer = x[0].sqr().unsqueeze(axis)?;
            let shape = longer.shape().to_vec();
            assert_eq!((shape.len(), longer.len()), (4, 24));
            longer.squeeze(axis)
        });
    }
    let x = variables(&[&[2, 1, 3]]);
    check("broadcast_to", &x, |x| {
        x[0].sqr().broadcast_to(&[2, 2, 4, 3])
    });
}

#[test]
fn parts_and_wholes() {
    let x = variables(&[&[2, 3, 4]]);
    for axis in 0..3 {
        check("narrow", &x, |x| x[0].sqr().narrow(axis, 1, 1));
        check("select", &x, |x| x[0].sqr().select(axis, 1));
        check("repeat", &x, |x| x[0].sqr().repeat(axis, 3));
    }
    check("narrow", &x, |x| x[0].sqr().narrow(-1, 1, 2));
    check("index_select", &x, |x| x[0].index_select(&[1, 0, 1, 1]));
    let x = variables(&[&[2, 3], &[2, 1], &[2, 2]]);
    check("cat", &x, |x| {
        Tensor::cat(&[&*x[0], &*x[1], &*x[2]], 1)?.sqr().transpose()
    });
    let x = variables(&[&[2, 3], &[2, 3]]);
    for axis in [0, 1, -1] {
        check("stack", &x, |x| {
            Ok(Tensor::stack(&[&*x[0], &*x[1]], axis)?.sqr())
        });
    }
}

/// `x^3`, with the gradient `factor x^2`.
fn cube(x: &Tensor, factor: f32) -> vlpt_autograd::Result<Tensor> {
    let kept = x.values();
    let values = kept.iter().map(|x| x * x * x).collect();
    Tensor::custom(&[x], values, x.shape(), move |gradient, inputs| {
        let d = gradient.iter().zip(kept.iter());
        inputs.add(0, d.map(|(g, x)| g * factor * x * x).collect())
    })
}

#[test]
fn a_function_from_elsewhere() {
    let x = variables(&[&[2, 3], &[2, 3]]);
    check("cube", &x, |x| cube(&(&*x[0] * &*x[1])?, 3.0)?.sum(0));
}

#[test]
#[should_panic(expected = "wrong cube, input 0")]
fn a_gradient_that_is_a_hundredth_off_is_found() {
    let x = variables(&[&[2, 3]]);
    check("wrong cube", &x, |x| cube(&x[0], 3.03));
}
