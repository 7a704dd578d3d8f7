//! Low-rank updates through the towers: they start at zero-shot, and their gradients are those of a
//! loss behind both towers.

#![allow(clippy::unwrap_used)]

mod common;

use common::tiny;
use vlpt_base::random::Stream;
use vlpt_clip::{Clip, MemoryBudget};
use vlpt_methods::{
    AdaptedLayer, Blocks, ClipLora, ClipLoraConfig, Method, Pass, TowerValues, Towers,
};

const IMAGES: usize = 3;

fn classes() -> Vec<String> {
    ["cat", "polar_bear"].map(str::to_owned).to_vec()
}

fn images() -> Vec<f32> {
    Stream::new(5, "images").normals(IMAGES * 3 * 8 * 8, 1.0)
}

/// Updates with random values in place of the zeros.
fn started(config: &ClipLoraConfig, clip: &Clip) -> ClipLora {
    let lora = ClipLora::new(config, &clip.config, 1).unwrap();
    for parameter in lora.parameters() {
        let values = Stream::new(8, parameter.name()).normals(parameter.len(), 0.3);
        parameter.set(&values).unwrap();
    }
    lora
}

/// A smooth loss behind both towers, weighted products of all image and text features, and its
/// gradient by each parameter.
fn evaluate(clip: &Clip, lora: &ClipLora, pass: &Pass) -> (f64, Vec<Vec<f32>>) {
    let budget = MemoryBudget::default();
    let (names, embed) = (classes(), clip.config.embed_dim);
    let texts = lora.texts(&clip.tokenizer, &names).unwrap();
    let adaptation = lora.adapt(pass).unwrap();
    let (text, visual) = (
        adaptation.text.values().unwrap(),
        adaptation.visual.values().unwrap(),
    );
    let (text_updates, visual_updates) = (text.updates(), visual.updates());
    let plan = clip.text.plan(&texts, lora.text_plan(), budget);
    let (text, text_tape) = clip.text.forward(&plan, &text.for_tower(&text_updates));
    let for_tower = visual.for_tower(&visual_updates);
    let (image, image_tape) = clip.vision.forward(&images(), IMAGES, &for_tower, budget);
    let weights = Stream::new(6, "weights").normals(IMAGES * names.len(), 1.0);
    let mut loss = 0.0;
    let (mut d_text, mut d_image) = (vec![0.0; text.len()], vec![0.0; image.len()]);
    for (i, c) in (0..IMAGES).flat_map(|i| (0..names.len()).map(move |c| (i, c))) {
        let weight = weights[i * names.len() + c];
        for e in 0..embed {
            let (x, y) = (image[i * embed + e], text[c * embed + e]);
            loss += f64::from(weight) * f64::from(x) * f64::from(y);
            d_image[i * embed + e] += weight * y;
            d_text[c * embed + e] += weight * x;
        }
    }
    let d_text = clip.text.backward(&plan, text_tape, &d_text);
    let d_visual = clip.vision.backward(image_tape, &d_image);
    let gradients = adaptation
        .gradients(lora.parameters(), Some(&d_text), Some(&d_visual))
        .unwrap();
    (loss, gradients)
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|v| v * v).sum::<f32>().sqrt()
}

/// Compares each parameter's gradient with central differences, half along itself and half along
/// noise, so that the slope is never near zero.
fn check_gradients(clip: &Clip, lora: &ClipLora, pass: &Pass) {
    let (_, gradients) = evaluate(clip, lora, pass);
    assert_eq!(gradients.len(), lora.parameters().len());
    for (parameter, gradient) in lora.parameters().iter().zip(&gradients) {
        let start = parameter.values().unwrap();
        let noise = Stream::new(7, parameter.name()).normals(start.len(), 1.0);
        let (own, other) = (length(gradient), length(&noise));
        assert!(own > 0.0, "{} changes nothing", parameter.name());
        let direction = gradient
            .iter()
            .zip(&noise)
            .map(|(g, n)| g / own + n / other);
        let direction: Vec<f32> = direction.collect();
        let expected = gradient.iter().zip(&direction);
        let expected: f64 = expected.map(|(g, d)| f64::from(*g) * f64::from(*d)).sum();
        let at = |step: f32| {
            let moved = start.iter().zip(&direction).map(|(v, d)| v + step * d);
            parameter.set(&moved.collect::<Vec<f32>>()).unwrap();
            evaluate(clip, lora, pass).0
        };
        // A short step suits a strongly curved loss, a long one a gradient that is small beside the
        // towers' rounding.
        let slopes = [0.01, 0.03, 0.1].map(|share| {
            let size = share * length(&start);
            (at(size) - at(-size)) / (2.0 * f64::from(size))
        });
        parameter.set(&start).unwrap();
        let fits = |slope: &f64| (slope - expected).abs() < 0.01 * expected.abs();
        assert!(
            slopes.iter().any(fits),
            "{}: slopes {slopes:?}, gradient {expected}",
            parameter.name()
        );
    }
}

#[test]
fn gradients_are_those_of_a_loss_behind_both_towers() {
    use AdaptedLayer::{Fc1, Fc2, K, Out, Q, V};
    let clip = tiny();
    let training = Pass {
        images: None,
        step: Some((1, 2)),
    };
    let base = ClipLoraConfig::default;
    let all = ClipLoraConfig {
        layers: vec![Q, K, V, Out, Fc1, Fc2],
        position: Blocks::HalfUp,
        ..base()
    };
    for config in [base(), all] {
        for pass in [Pass::EVAL, training] {
            check_gradients(&clip, &started(&config, &clip), &pass);
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
        check_gradients(&clip, &started(&config, &clip), &Pass::EVAL);
    }
}

/// Features of both towers under values, or of the towers as they are.
fn features(clip: &Clip, lora: &ClipLora, values: Option<&[TowerValues; 2]>) -> [Vec<f32>; 2] {
    let texts = lora.texts(&clip.tokenizer, &classes()).unwrap();
    let none = [TowerValues::default(), TowerValues::default()];
    let [text, visual] = values.unwrap_or(&none);
    let (text_updates, visual_updates) = (text.updates(), visual.updates());
    let (text, visual) = (
        text.for_tower(&text_updates),
        visual.for_tower(&visual_updates),
    );
    [
        clip.text.features(&texts, &text),
        clip.vision.features(&images(), IMAGES, &visual),
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
        images: None,
        step: Some((1, 0)),
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
