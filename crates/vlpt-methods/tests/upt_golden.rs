//! Unified prompts and their gradients against PyTorch; `golden/make_upt.py` writes the numbers.
//! Its token-wise cases give PyTorch's multi-head attention sequences of length one.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;

use common::{gradients, named, sizes, text_values, visual_values};
use serde::Deserialize;
use vlpt_clip::Clip;
use vlpt_methods::{Attention, Depth, Method, Pass, Upt, UptConfig, UptShape};

#[derive(Deserialize)]
struct Golden {
    text: usize,
    vision: usize,
    patch: usize,
    blocks: usize,
    classes: usize,
    cases: Vec<Case>,
    initial: Initial,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    shape: UptShape,
    attention: Attention,
    layers: usize,
    width: usize,
    heads: usize,
    class_specific: bool,
    text_count: usize,
    visual_count: usize,
    text: Vec<f32>,
    visual: Vec<f32>,
    d_text: Vec<f32>,
    d_visual: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    gradients: BTreeMap<String, Vec<f32>>,
}

#[derive(Deserialize)]
struct Initial {
    width: usize,
    largest: BTreeMap<String, f32>,
}

impl Case {
    fn config(&self) -> UptConfig {
        UptConfig {
            shape: self.shape,
            attention: self.attention,
            text_count: self.text_count,
            visual_count: self.visual_count,
            width: Some(self.width),
            heads: self.heads,
            depth: Some(Depth::Layers(self.layers)),
            class_specific: self.class_specific,
            ..UptConfig::default()
        }
    }
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/upt.json")).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    // Rounding errors are those of the largest values, which the others are differences of.
    let scale = expected.iter().fold(1.0_f32, |m, v| m.max(v.abs()));
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= 3e-6 * scale,
            "{what}: {found}, PyTorch has {expected}"
        );
    }
}

#[test]
fn prompts_and_gradients_are_those_of_pytorch() {
    let golden = golden();
    let clip = Clip::random(
        &sizes(golden.text, golden.vision, golden.blocks, golden.patch),
        3,
    );
    assert_eq!(golden.cases.len(), 11);
    for case in golden.cases {
        let name = &case.name;
        let upt = Upt::new(&case.config(), &clip, golden.classes, 1).unwrap();
        let found: Vec<&str> = upt
            .parameters()
            .iter()
            .map(vlpt_methods::Parameter::name)
            .collect();
        assert_eq!(found.len(), case.parameters.len(), "{name}: {found:?}");
        for parameter in upt.parameters() {
            parameter.set(&case.parameters[parameter.name()]).unwrap();
        }
        let adaptation = upt.adapt(&Pass::EVAL).unwrap();
        let visual = visual_values(&adaptation);
        assert_eq!(
            (visual.blocks, visual.rows),
            (case.layers, case.visual_count)
        );
        assert_close(&text_values(&adaptation), &case.text, name);
        assert_close(&visual.values, &case.visual, name);
        let (d_text, d_visual) = (Some(&*case.d_text), Some(&*case.d_visual));
        let gradients = gradients(&adaptation, upt.parameters(), d_text, d_visual);
        for (parameter, gradient) in upt.parameters().iter().zip(gradients) {
            let what = format!("{name}: {}", parameter.name());
            assert_close(&gradient, &case.gradients[parameter.name()], &what);
        }
    }
}

#[test]
fn the_block_starts_as_pytorch_starts_it() {
    let initial = golden().initial;
    let config = UptConfig {
        width: Some(initial.width),
        ..UptConfig::default()
    };
    let upt = Upt::new(&config, &common::tiny(), 2, 1).unwrap();
    for (name, expected) in initial.largest {
        let values = named(&upt, &format!("mvlpt_proj.resblocks.0.{name}"));
        let largest = values.iter().fold(0.0_f32, |m, v| m.max(v.abs()));
        // Of so many uniform values the largest is next to the bound.
        assert!(
            (largest - expected).abs() <= 0.05 * expected,
            "{name}: {largest}, PyTorch has {expected}"
        );
    }
}
