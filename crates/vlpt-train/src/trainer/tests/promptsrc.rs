//! Independent prompts and PromptSRC against PyTorch (`tests/golden/make_promptsrc.py`).

use std::collections::BTreeMap;

use serde_json::Value;
use vlpt_methods::{IvlpConfig, MethodConfig, PromptSrcConfig};

use super::twins::{IMAGES, pixels, start};
use super::{Example, Given, assert_curve, small};

/// Trains as the script does, compares the losses, and gives the parameters that the run ends with.
fn check(name: &str, lr: f64, method: &MethodConfig) -> (Value, BTreeMap<String, Vec<f32>>) {
    let golden: Value =
        serde_json::from_str(include_str!("../../../tests/golden/promptsrc.json")).unwrap();
    let clip = small();
    let settings = format!(
        "[train]\nepochs = 50\nbatch_size = 8\noptimizer = \"sgd\"\nlr = {lr}\n\
         [compute]\ncheckpoint_seconds = 3600"
    );
    let example = Example::new(IMAGES, &settings);
    let method = example.method(&clip, method);
    start(method.as_ref());
    let given = Given::Pixels((0..IMAGES).map(pixels).collect());
    let (losses, parameters) = example.train(&clip, method, given);
    let expected: Vec<f64> = serde_json::from_value(golden[name].clone()).unwrap();
    assert_curve(name, &losses, &expected);
    (golden, parameters)
}

fn ivlp(context: usize, depth_text: usize, depth_visual: usize) -> IvlpConfig {
    IvlpConfig {
        context: Some(context),
        init: String::new(),
        prompts: 2,
        depth_text: Some(depth_text),
        depth_visual: Some(depth_visual),
    }
}

#[test]
fn independent_prompts_have_pytorchs_loss_curve() {
    check("ivlp", 0.01, &MethodConfig::from(ivlp(3, 2, 2)));
    check(
        "ivlp-shallow-text",
        0.01,
        &MethodConfig::from(ivlp(4, 1, 3)),
    );
}

#[test]
fn promptsrc_has_pytorchs_loss_curve_and_ends_with_its_average() {
    let own = PromptSrcConfig {
        average_mean: 30.0,
        average_deviation: 10.0,
        teacher_templates: ["a photo of a {}.", "{}", "art of many {}s, and more."]
            .map(str::to_owned)
            .to_vec(),
        ..PromptSrcConfig::default()
    };
    let method = MethodConfig::from((ivlp(4, 2, 3), own));
    let (golden, found) = check("promptsrc", 0.0025, &method);
    let expected: BTreeMap<String, Vec<f32>> =
        serde_json::from_value(golden["average"].clone()).unwrap();
    assert!(found.keys().eq(expected.keys()), "{:?}", found.keys());
    for (name, values) in &expected {
        for (found, expected) in found[name].iter().zip(values) {
            assert!(
                (found - expected).abs() < 1e-4,
                "{name}: {found} {expected}"
            );
        }
    }
}
