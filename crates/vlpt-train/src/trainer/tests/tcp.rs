//! KgCoOp and TCP against PyTorch (`tests/golden/make_tcp.py`).

use std::collections::BTreeMap;

use vlpt_clip::Clip;
use vlpt_methods::{CoOpConfig, KgForm, MethodConfig, TcpConfig};

use super::twins::start;
use super::{Example, Given, assert_curve, formula_features, task};
use crate::Mask;

const IMAGES: usize = 10;

fn check(name: &str, train: &str, method: &MethodConfig, of_tasks: bool) {
    let golden: BTreeMap<String, Vec<f64>> =
        serde_json::from_str(include_str!("../../../tests/golden/tcp.json")).unwrap();
    let clip = Clip::mini();
    let settings = format!(
        "[train]\nepochs = 50\nbatch_size = 10\n{train}\n[compute]\ncheckpoint_seconds = 3600"
    );
    let mut example = Example::new(IMAGES, &settings);
    if of_tasks {
        let (first, second) = (0..IMAGES).partition(|image| image % 4 < 2);
        example.tasks = vec![task(0..2, first), task(2..4, second)];
        example.mask = Mask::PerTask;
    }
    let method = example.method(&clip, method);
    start(method.as_ref());
    let given = Given::Features(formula_features(IMAGES, 256));
    let (losses, _) = example.train(&clip, method, given);
    assert_curve(name, &losses, &golden[name]);
}

#[test]
fn a_context_held_near_the_frozen_model_has_pytorchs_loss_curve_in_both_forms() {
    let config = |weight, form, template: Option<&str>| {
        MethodConfig::from(CoOpConfig {
            context: Some(3),
            kg_weight: Some(weight),
            kg_form: form,
            kg_template: template.map(str::to_owned),
            ..CoOpConfig::default()
        })
    };
    let train = "lr = 0.02";
    check("kgcoop-cosine", train, &config(8.0, None, None), false);
    let squared = config(2.0, Some(KgForm::Squared), Some("{}, a drawing."));
    check("kgcoop-squared", train, &squared, false);
}

#[test]
fn class_aware_prompts_have_pytorchs_loss_curve() {
    let train = "lr = 0.002\noptimizer = \"adam\"";
    let method = MethodConfig::from(TcpConfig::default());
    check("tcp", train, &method, false);
    // Each task's classes go through the text tower by themselves, with their own rows.
    check("tcp-tasks", train, &method, true);
}

#[test]
fn other_lengths_blocks_and_texts_have_pytorchs_loss_curve() {
    let method = MethodConfig::from(TcpConfig {
        context: Some(3),
        hidden: Some(5),
        block: Some(3),
        template: "drawing of {}, big".to_owned(),
        class_template: "my {}".to_owned(),
        weight: 1.5,
        ..TcpConfig::default()
    });
    let train = "lr = 0.002\noptimizer = \"adam\"\neps = 1e-3";
    check("tcp-other-options", train, &method, false);
}
