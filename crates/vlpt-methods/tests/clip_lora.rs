//! Low-rank updates through the towers: they start at zero-shot, and their gradients are those of a
//! loss behind both towers.

#![allow(clippy::unwrap_used)]

mod common;

use common::{Objective, classes, images, tiny};
use vlpt_base::random::Stream;
use vlpt_clip::Clip;
use vlpt_methods::{
    AdaptedLayer, Blocks, ClipLora, ClipLoraConfig, Method, Pass, TowerValues, Towers,
};

const IMAGES: usize = 3;

/// Updates with random values in place of the zeros.
fn started(config: &ClipLoraConfig, clip: &Clip) -> ClipLora {
    let lora = ClipLora::new(config, &clip.config, 1).unwrap();
    for parameter in lora.parameters() {
        let values = Stream::new(8, parameter.name()).normals(parameter.len(), 0.3);
        parameter.set(&values).unwrap();
    }
    lora
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_towers() {
    use AdaptedLayer::{Fc1, Fc2, K, Out, Q, V};
    let clip = tiny();
    let training = Pass {
        step: Some((1, 2)),
        ..Pass::EVAL
    };
    let base = ClipLoraConfig::default;
    let all = ClipLoraConfig {
        layers: vec![Q, K, V, Out, Fc1, Fc2],
        position: Blocks::HalfUp,
        ..base()
    };
    for config in [base(), all] {
        for pass in [Pass::EVAL, training] {
            Objective::new(&clip).check(&started(&config, &clip), &pass);
        }
    }
}

#[test]
fn a_tower_that_is_not_updated_gives_no_gradient_and_needs_none() {
    let clip = tiny();
    for encoder in [Towers::Text, Towers::Vision] {
        let config = ClipLoraConfig {
            encoder,
            ..ClipLoraConfig::default()
        };
        Objective::new(&clip).check(&started(&config, &clip), &Pass::EVAL);
    }
}

/// Features of both towers under values, or of the towers as they are.
fn features(clip: &Clip, lora: &ClipLora, values: Option<&[TowerValues; 2]>) -> [Vec<f32>; 2] {
    let texts = lora
        .texts(&clip.tokenizer, &classes(&["cat", "polar_bear"]))
        .unwrap();
    let none = [TowerValues::default(), TowerValues::default()];
    let [text, visual] = values.unwrap_or(&none);
    let (text_updates, visual_updates) = (text.updates(), visual.updates());
    let (text, visual) = (
        text.for_tower(&text_updates),
        visual.for_tower(&visual_updates),
    );
    [
        clip.text.features(&texts, &text),
        clip.vision.features(&images(clip, IMAGES), IMAGES, &visual),
    ]
}

fn bits(features: &[Vec<f32>; 2]) -> Vec<u32> {
    features.iter().flatten().map(|v| v.to_bits()).collect()
}

#[test]
fn it_starts_at_zero_shot_bit_by_bit() {
    let clip = tiny();
    let config = ClipLoraConfig {
        layers: AdaptedLayer::ALL.to_vec(),
        ..ClipLoraConfig::default()
    };
    let training = Pass {
        step: Some((1, 0)),
        ..Pass::EVAL
    };
    let adapted = |lora: &ClipLora, pass: &Pass| {
        let adaptation = lora.adapt(pass).unwrap();
        let sides = [&adaptation.text, &adaptation.visual];
        features(&clip, lora, Some(&sides.map(|side| side.values().unwrap())))
    };
    let lora = ClipLora::new(&config, &clip.config, 1).unwrap();
    let zero_shot = bits(&features(&clip, &lora, None));
    assert_eq!(bits(&adapted(&lora, &Pass::EVAL)), zero_shot);
    assert_eq!(bits(&adapted(&lora, &training)), zero_shot);
    // and other values do change both sides
    let other = started(&config, &clip);
    let zero_shot = features(&clip, &lora, None);
    for (changed, before) in adapted(&other, &Pass::EVAL).iter().zip(&zero_shot) {
        assert_ne!(changed, before);
    }
    assert_ne!(adapted(&other, &training), adapted(&other, &Pass::EVAL));
}
