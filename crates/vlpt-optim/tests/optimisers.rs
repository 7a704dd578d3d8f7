//! The optimisers against fifty steps of PyTorch's (`vlpt-train/tests/golden/make_training.py`), and across a
//! saved state.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use serde::Deserialize;
use vlpt_optim::{Adam, AdamW, Optimizer, OptimizerState, Sgd};

#[derive(Deserialize)]
struct Case {
    kind: String,
    momentum: Option<f64>,
    weight_decay: f64,
    betas: Option<[f64; 2]>,
    eps: Option<f64>,
    start: Vec<f32>,
    targets: Vec<f32>,
    trace: Vec<(usize, Vec<f32>)>,
}

impl Case {
    fn all() -> Vec<Self> {
        serde_json::from_str(include_str!("golden/optimisers.json")).unwrap()
    }

    fn optimizer(&self) -> Box<dyn Optimizer> {
        let decay = self.weight_decay;
        match (self.momentum, self.betas, self.eps) {
            (Some(momentum), ..) => Box::new(Sgd::new(momentum, decay)),
            (_, Some(betas), Some(eps)) if self.kind == "adam" => {
                Box::new(Adam::new(betas, eps, decay))
            }
            (_, Some(betas), Some(eps)) => Box::new(AdamW::new(betas, eps, decay)),
            _ => panic!("{}: no options", self.kind),
        }
    }

    fn step(&self, optimizer: &mut dyn Optimizer, values: &mut [f32], step: usize) {
        let pull = (step % 3 + 1) as f32;
        let gradient: Vec<f32> = values
            .iter()
            .zip(&self.targets)
            .map(|(v, t)| (v - t) * pull)
            .collect();
        let rate = 0.05 * 0.5_f64.powi((step / 10) as i32);
        optimizer.step("ctx", values, &gradient, rate).unwrap();
    }
}

#[test]
fn fifty_steps_are_pytorchs() {
    for case in Case::all() {
        let mut optimizer = case.optimizer();
        let mut values = case.start.clone();
        let mut trace = case.trace.iter();
        let mut next = trace.next();
        for step in 0..50 {
            case.step(&mut *optimizer, &mut values, step);
            if let Some((at, expected)) = next
                && *at == step
            {
                for (found, expected) in values.iter().zip(expected) {
                    let fits = (found - expected).abs() < 1e-6;
                    assert!(
                        fits,
                        "{} step {step}: {found}, expected {expected}",
                        case.kind
                    );
                }
                next = trace.next();
            }
        }
        assert!(
            next.is_none(),
            "{}: the trace was not walked to its end",
            case.kind
        );
    }
}

#[test]
fn a_restored_optimiser_goes_on_with_the_same_bits() {
    for case in Case::all() {
        let mut whole = case.optimizer();
        let mut values = case.start.clone();
        for step in 0..20 {
            case.step(&mut *whole, &mut values, step);
        }
        let mut resumed = case.optimizer();
        resumed.restore(whole.state()).unwrap();
        let mut again = values.clone();
        for step in 20..40 {
            case.step(&mut *whole, &mut values, step);
            case.step(&mut *resumed, &mut again, step);
        }
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(&again));
        assert_eq!(whole.state(), resumed.state());
    }
}

#[test]
fn parameters_have_their_own_state() {
    let mut optimizer = AdamW::new([0.9, 0.999], 1e-8, 0.0);
    let (mut a, mut b) = ([1.0], [1.0]);
    optimizer.step("a", &mut a, &[1.0], 0.1).unwrap();
    optimizer.step("a", &mut a, &[1.0], 0.1).unwrap();
    optimizer.step("b", &mut b, &[1.0], 0.1).unwrap();
    let counters: Vec<_> = optimizer.state().counters.into_iter().collect();
    assert_eq!(
        counters,
        [("steps/a".to_owned(), 2), ("steps/b".to_owned(), 1)]
    );
}

#[test]
fn another_optimisers_state_and_odd_lengths_are_refused() {
    let mut sgd = Sgd::new(0.9, 0.0);
    sgd.step("ctx", &mut [1.0, 2.0], &[0.1, 0.1], 0.1).unwrap();
    let error = AdamW::new([0.9, 0.999], 1e-8, 0.0)
        .restore(sgd.state())
        .unwrap_err();
    assert!(error.to_string().contains("momentum/ctx"), "{error}");
    assert!(error.hint().is_some());
    assert!(sgd.restore(OptimizerState::default()).is_ok());
    assert!(sgd.step("ctx", &mut [1.0], &[0.1, 0.1], 0.1).is_err());
    sgd.step("ctx", &mut [1.0], &[0.1], 0.1).unwrap();
    let error = sgd
        .step("ctx", &mut [1.0, 2.0], &[0.1, 0.1], 0.1)
        .unwrap_err();
    assert!(error.to_string().contains("holds 1"), "{error}");
}
