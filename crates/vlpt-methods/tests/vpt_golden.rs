//! Visual prompts and their gradients against PyTorch; `golden/make_vpt.py` writes the numbers.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{gradients, sizes, visual_values};
use serde::Deserialize;
use vlpt_methods::{Depth, Method, Pass, Vpt, VptConfig};

#[derive(Deserialize)]
struct Golden {
    vision: usize,
    blocks: usize,
    cases: Vec<Case>,
    initial: Initial,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    layers: usize,
    count: usize,
    project: usize,
    parameters: BTreeMap<String, Vec<f32>>,
    rows: Vec<f32>,
    d_rows: Vec<f32>,
    gradients: BTreeMap<String, Vec<f32>>,
}

#[derive(Deserialize)]
struct Initial {
    project: usize,
    vision: usize,
    weight_deviation: f64,
    bias_deviation: f64,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/vpt.json")).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 1e-6 * (1.0 + expected.abs()),
            "{what}: {found}, PyTorch has {expected}"
        );
    }
}

#[test]
fn prompts_and_gradients_are_those_of_pytorch() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 5);
    let model = sizes(16, golden.vision, golden.blocks, 4);
    for case in golden.cases {
        let config = VptConfig {
            count: case.count,
            depth: Depth::Layers(case.layers),
            project: case.project,
            ..VptConfig::default()
        };
        let vpt = Vpt::new(&config, &model, 1).unwrap();
        assert_eq!(
            vpt.parameters().len(),
            case.parameters.len(),
            "{}",
            case.name
        );
        for parameter in vpt.parameters() {
            parameter.set(&case.parameters[parameter.name()]).unwrap();
        }
        let adaptation = vpt.adapt(&Pass::EVAL).unwrap();
        let rows = visual_values(&adaptation).values;
        assert_close(&rows, &case.rows, &case.name);
        let d_rows = Some(&*case.d_rows);
        let gradients = gradients(&adaptation, vpt.parameters(), None, d_rows);
        for (parameter, gradient) in vpt.parameters().iter().zip(gradients) {
            let what = format!("{}: {}", case.name, parameter.name());
            assert_close(&gradient, &case.gradients[parameter.name()], &what);
        }
    }
}

#[test]
fn a_projection_starts_with_the_spread_of_pytorch() {
    let initial = golden().initial;
    let config = VptConfig {
        project: initial.project,
        count: 1,
        ..VptConfig::default()
    };
    let vpt = Vpt::new(&config, &sizes(16, initial.vision, 1, 4), 1).unwrap();
    for (parameter, expected) in vpt.parameters()[1..]
        .iter()
        .zip([initial.weight_deviation, initial.bias_deviation])
    {
        let values = parameter.values().unwrap();
        let squares: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
        let found = (squares / values.len() as f64).sqrt();
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{}: {found}, PyTorch has {expected}",
            parameter.name()
        );
    }
}
