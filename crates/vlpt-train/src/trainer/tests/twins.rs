//! Every method against PyTorch (`tests/golden/make_twins.py`, `make_clip_lora_twins.py`).

mod maple;
mod two_stage;

use std::collections::BTreeMap;

use vlpt_methods::{
    AdaptedLayer, Attention, Blocks, ClipLoraConfig, CoCoOpConfig, CoOpConfig, Depth, Method,
    MethodConfig, Towers, UptConfig, UptShape, VptConfig,
};

use super::{Example, Given, assert_curve, small};

pub(super) const IMAGES: usize = 8;
const SIDE: usize = 24;

/// The formula of the script, for the parameter at a place of the sorted names.
fn initial(name: &str, index: usize, count: usize) -> Vec<f32> {
    let gains = ["ln_1.weight", "ln_2.weight", "norm1.weight", "norm2.weight"];
    let gain = gains.iter().any(|part| name.contains(part));
    let value = |j: usize| {
        let a = (j % 1009) as f64;
        let wave = (0.013 * a * a + 0.7 * j as f64 + 1.9 * index as f64).sin();
        (if gain { 1.0 + 0.1 * wave } else { 0.08 * wave }) as f32
    };
    (0..count).map(value).collect()
}

pub(super) fn pixels(image: usize) -> Vec<f32> {
    let (slow, quick) = ((image % 4 + 1) as f64, 1.0 + 0.1 * (image % 5) as f64);
    let value = |at: usize| {
        let at = at as f64;
        (0.05 * at * quick + image as f64).sin() + 0.5 * (0.003 * at * slow).cos()
    };
    (0..3 * SIDE * SIDE).map(|at| value(at) as f32).collect()
}

pub(super) fn start(method: &dyn Method) {
    let mut parameters: Vec<_> = method.parameters().iter().collect();
    parameters.sort_by_key(|parameter| parameter.name().to_owned());
    for (index, parameter) in parameters.into_iter().enumerate() {
        let values = initial(parameter.name(), index, parameter.len());
        parameter.set(&values).unwrap();
    }
}

fn check(name: &str, optimizer: &str, lr: f64, method: &MethodConfig) {
    let golden = include_str!("../../../tests/golden/twins.json");
    check_with(golden, name, optimizer, lr, method);
}

/// `golden`: curves by name.
fn check_with(golden: &str, name: &str, optimizer: &str, lr: f64, method: &MethodConfig) {
    let golden: BTreeMap<String, Vec<f64>> = serde_json::from_str(golden).unwrap();
    let clip = small();
    let settings = format!(
        "[train]\nepochs = 50\nbatch_size = 8\noptimizer = \"{optimizer}\"\nlr = {lr}\n\
         [compute]\ncheckpoint_seconds = 3600"
    );
    let example = Example::new(IMAGES, &settings);
    let method = example.method(&clip, method);
    start(method.as_ref());
    let given = Given::Pixels((0..IMAGES).map(pixels).collect());
    let (losses, _) = example.train(&clip, method, given);
    assert_curve(name, &losses, &golden[name]);
}

fn vpt(depth: Depth) -> VptConfig {
    VptConfig {
        count: 3,
        depth,
        ..VptConfig::default()
    }
}

#[test]
fn shallow_visual_prompts_have_pytorchs_loss_curve() {
    let method = MethodConfig::from(vpt(Depth::Shallow));
    check("vpt-shallow", "sgd", 0.02, &method);
}

#[test]
fn deep_visual_prompts_have_pytorchs_loss_curve() {
    let method = MethodConfig::from(vpt(Depth::Deep));
    check("vpt-deep", "sgd", 0.02, &method);
}

#[test]
fn text_and_visual_prompts_together_have_pytorchs_loss_curve() {
    let method = MethodConfig::from((
        CoOpConfig {
            context: Some(4),
            ..CoOpConfig::default()
        },
        vpt(Depth::Deep),
    ));
    check("vlpt", "adamw", 0.002, &method);
}

#[test]
fn unified_prompts_have_pytorchs_loss_curve_jointly_and_token_by_token() {
    for (name, attention) in [
        ("upt-mvlpt-joint", Attention::Joint),
        ("upt-mvlpt-tokenwise", Attention::Tokenwise),
    ] {
        let method = MethodConfig::from(UptConfig {
            attention,
            text_count: 2,
            visual_count: 2,
            width: Some(16),
            ..UptConfig::default()
        });
        check(name, "sgd", 0.01, &method);
    }
}

#[test]
fn the_releases_unified_prompts_have_pytorchs_loss_curve() {
    let method = MethodConfig::from(UptConfig {
        shape: UptShape::Release,
        attention: Attention::Tokenwise,
        dropout: Some(0.0),
        ..UptConfig::default()
    });
    check("upt-release", "sgd", 0.002, &method);
}

#[test]
fn conditional_prompts_have_pytorchs_loss_curve() {
    let method = MethodConfig::from(CoCoOpConfig {
        context: Some(4),
        init: String::new(),
        ..CoCoOpConfig::default()
    });
    check("cocoop", "sgd", 0.005, &method);
}

#[test]
fn low_rank_updates_have_pytorchs_loss_curve() {
    use AdaptedLayer::{Fc1, Fc2, K, Out, Q, V};
    let golden = include_str!("../../../tests/golden/clip_lora.json");
    // The masks of dropout are our own.
    let plain = ClipLoraConfig {
        dropout: 0.0,
        ..ClipLoraConfig::default()
    };
    let all_layers = ClipLoraConfig {
        position: Blocks::HalfUp,
        layers: vec![Q, K, V, Out, Fc1, Fc2],
        rank: 3,
        alpha: 2.0,
        ..plain.clone()
    };
    let of = |encoder| ClipLoraConfig {
        encoder,
        ..plain.clone()
    };
    for (name, optimizer, lr, config) in [
        ("clip-lora", "adamw", 0.002, plain.clone()),
        ("clip-lora-all-layers-half-up", "adamw", 0.002, all_layers),
        ("clip-lora-text", "sgd", 0.02, of(Towers::Text)),
        ("clip-lora-vision", "sgd", 0.02, of(Towers::Vision)),
    ] {
        check_with(golden, name, optimizer, lr, &MethodConfig::from(config));
    }
}
