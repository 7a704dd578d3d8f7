//! How gradients come together, what is recorded, and what is freed.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::check;
use common::variables;
use vlpt_autograd::{Tensor, Var, vjp};

fn var(values: &[f32]) -> Var {
    Var::new(values.to_vec(), &[values.len()]).unwrap()
}

#[test]
fn two_ways_to_one_result_add_up() {
    // A diamond: both sides come from one product of a and b.
    let inputs = variables(&[&[2, 3], &[3]]);
    check("diamond", &inputs, |x| {
        let top = (&*x[0] * &*x[1])?;
        let left = (&top.exp() + &top)?;
        let right = top.sqr();
        (left * right)? + &top
    });
}

#[test]
fn a_tensor_may_be_used_twice_in_one_operation() {
    let x = var(&[3.0, -2.0]);
    let square = (&*x * &*x).unwrap().sum_all().backward().unwrap();
    assert_eq!(square.get(&x).unwrap(), [6.0, -4.0]);
    let zero = (&*x - &*x).unwrap().sum_all().backward().unwrap();
    assert_eq!(zero.get(&x).unwrap(), [0.0, 0.0]);
    let twice = Tensor::cat(&[&*x, &*x], 0).unwrap();
    let gradients = vjp(&[(&twice, &[1.0, 2.0, 30.0, 40.0])]).unwrap();
    assert_eq!(gradients.get(&x).unwrap(), [31.0, 42.0]);
}

#[test]
fn several_outputs_are_followed_at_once() {
    let (a, b) = (var(&[1.0, 2.0]), var(&[5.0]));
    let first = (&*a * 3.0 + 1.0).sum_all();
    let second = (&*a * &*b).unwrap();
    let gradients = vjp(&[(&first, &[2.0]), (&second, &[1.0, 10.0])]).unwrap();
    assert_eq!(gradients.get(&a).unwrap(), [6.0 + 5.0, 6.0 + 50.0]);
    assert_eq!(gradients.get(&b).unwrap(), [1.0 + 20.0]);
    // A variable may itself be an output, and the same output may stand there twice.
    let gradients = vjp(&[(&a, &[1.0, -0.0]), (&a, &[1.0, -0.0])]).unwrap();
    assert_eq!(gradients.get(&a).unwrap(), [2.0, 0.0]);
    assert!(gradients.get(&a).unwrap()[1].is_sign_positive());
    assert!(vjp(&[(&a, &[1.0])]).is_err());
}

#[test]
fn a_variable_outside_the_graph_has_no_gradient() {
    let (a, b) = (var(&[1.0, 2.0]), var(&[3.0, 4.0]));
    let mut gradients = (&*a + &b.detach()).unwrap().sum_all().backward().unwrap();
    assert_eq!(gradients.take(&a).unwrap(), [1.0, 1.0]);
    assert!(gradients.take(&a).is_none(), "taken out");
    assert!(gradients.get(&b).is_none());
    let constant = Tensor::ones(&[]).unwrap().backward().unwrap();
    assert!(constant.get(&a).is_none());
    assert!(a.backward().is_err(), "two values are no objective");
}

#[test]
fn nothing_is_recorded_without_a_variable() {
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let x = Tensor::ones(&[2]).unwrap();
    let y = Tensor::custom(&[&x], vec![1.0, 2.0], &[2], move |_, _| {
        let _ = &inside;
        Ok(())
    });
    assert!(!y.unwrap().requires_grad());
    assert_eq!(Arc::strong_count(&held), 1, "the function was dropped");
    assert!(!(&x * 2.0).exp().requires_grad());
    assert!((&*var(&[1.0]) * 2.0).exp().requires_grad());
    assert!(!var(&[1.0]).exp().detach().requires_grad());
}

#[test]
fn a_graph_is_freed_with_its_last_tensor() {
    let held = Arc::new(());
    let inside = Arc::clone(&held);
    let x = var(&[1.0, 2.0]);
    let y = Tensor::custom(&[&x], vec![1.0, 2.0], &[2], move |gradient, inputs| {
        let _ = &inside;
        inputs.add(0, gradient.to_vec())
    });
    let loss = y.unwrap().sqr().sum_all();
    let gradients = loss.backward().unwrap();
    assert_eq!(Arc::strong_count(&held), 2, "backward can be asked again");
    assert_eq!(loss.backward().unwrap().get(&x), gradients.get(&x));
    drop(loss);
    assert_eq!(Arc::strong_count(&held), 1, "gradients hold no graph");
    assert_eq!(gradients.get(&x).unwrap(), [2.0, 4.0]);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let x = var(&[1.0]);
    let mut y = x.as_tensor().clone();
    for _ in 0..200_000 {
        y = y + 0.0;
    }
    let gradients = y.backward().unwrap();
    assert_eq!(gradients.get(&x).unwrap(), [1.0]);
}

#[test]
fn a_graph_keeps_the_values_it_was_computed_from() {
    let x = var(&[3.0]);
    let y = x.sqr();
    let same = x.clone();
    same.set(&[5.0]).unwrap();
    assert_eq!((y.to_vec(), x.to_vec()), (vec![9.0], vec![5.0]));
    assert_eq!(y.backward().unwrap().get(&x).unwrap(), [6.0]);
    assert!(x.set(&[1.0, 2.0]).is_err());
}

#[test]
fn an_error_of_a_function_from_elsewhere_comes_out() {
    let x = var(&[1.0, 2.0]);
    let y = Tensor::custom(&[&x], vec![0.0], &[], |_, inputs| inputs.add(0, vec![1.0]));
    let error = y.unwrap().backward().unwrap_err();
    assert_eq!(
        error.to_string(),
        "gradient: found 1 values for the shape [2]"
    );
}

#[test]
fn gradients_are_zero_where_a_function_has_a_corner() {
    let x = var(&[0.0, -0.0]);
    for y in [x.abs(), x.relu()] {
        assert_eq!(y.sum_all().backward().unwrap().get(&x).unwrap(), [0.0, 0.0]);
    }
}
