//! The embedded model is whole.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use vlpt_clip::{Activation, Clip, PreprocessConfig, PromptToken, TowerAdaptation};

#[test]
fn the_embedded_model_is_read_whole() {
    let clip = Clip::mini();
    assert_eq!(clip.name, "mini-clip");
    assert_eq!(
        (clip.config.vision.tokens(), clip.config.vision.layers),
        (65, 8)
    );
    assert_eq!(
        (clip.config.text.vocab_size, clip.config.text.eot_token),
        (8706, 8705)
    );
    assert_eq!(clip.config.text.activation, Activation::Gelu);
    assert_eq!(clip.tokenizer.vocab_size(), 8706);
    assert_eq!(clip.preprocess, PreprocessConfig::openai(64));
    assert_eq!(clip.report.parameters, clip.config.parameters());
    assert!(clip.report.ignored.is_empty(), "{:?}", clip.report.ignored);
    assert!(clip.report.notes.is_empty(), "{:?}", clip.report.notes);
    assert!(
        (1.0..=100.0).contains(&clip.logit_scale),
        "{}",
        clip.logit_scale
    );
    assert_eq!(clip.fingerprint.len(), 64);
}

/// Largest difference, relative to the largest expected value.
fn distance(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let scale = expected
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    found
        .iter()
        .zip(expected)
        .fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
        / scale
}

/// `golden/make_mini.py` makes the expected features with transformers.
#[test]
fn the_loaded_towers_give_the_features_of_transformers() {
    #[derive(serde::Deserialize)]
    struct Golden {
        tokens: Vec<Vec<u32>>,
        text: Vec<Vec<f32>>,
        image: Vec<Vec<f32>>,
    }
    let golden: Golden = serde_json::from_str(include_str!("golden/mini_features.json")).unwrap();
    let clip = Clip::mini();
    let texts: Vec<Vec<PromptToken>> = golden
        .tokens
        .iter()
        .map(|ids| ids.iter().map(|id| PromptToken::Token(*id)).collect())
        .collect();
    let text = clip.text.features(&texts, &TowerAdaptation::NONE);
    let error = distance(&text, &golden.text.concat());
    assert!(error < 1e-4, "text features differ by {error}");

    let images: Vec<f32> = (0..2 * 3 * 64 * 64)
        .map(|i| ((f64::from(i) * 0.37).sin() + (f64::from(i) * 0.0011).cos()) as f32)
        .collect();
    let image = clip.vision.features(&images, 2, &TowerAdaptation::NONE);
    let error = distance(&image, &golden.image.concat());
    assert!(error < 1e-4, "image features differ by {error}");
}

#[test]
fn a_random_model_is_decided_by_its_seed_and_is_not_degenerate() {
    let config = Clip::mini().config;
    let clip = Clip::random(&config, 3);
    assert_eq!(clip.fingerprint, Clip::random(&config, 3).fingerprint);
    assert_ne!(clip.fingerprint, Clip::random(&config, 4).fingerprint);

    let end = config.text.eot_token;
    let text = |id| {
        vec![
            PromptToken::Token(end - 1),
            PromptToken::Token(id),
            PromptToken::Token(end),
        ]
    };
    let features = clip
        .text
        .features(&[text(1), text(2)], &TowerAdaptation::NONE);
    let (a, b) = features.split_at(config.embed_dim);
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(a, b) / (dot(a, a) * dot(b, b)).sqrt();
    assert!(cosine < 0.999, "two texts look alike: {cosine}");
    let length = dot(a, a).sqrt();
    assert!((0.1..100.0).contains(&length), "{length}");
}
