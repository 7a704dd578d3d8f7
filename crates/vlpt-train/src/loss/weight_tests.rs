//! Weighted cross entropy against PyTorch's (`golden/make_weighted_losses.py`) and finite differences.

use serde::Deserialize;

use super::tests::values;
use super::*;

#[derive(Deserialize)]
struct Case {
    scale: f32,
    width: usize,
    images: Vec<f32>,
    texts: Vec<f32>,
    targets: Vec<u32>,
    weights: Vec<f64>,
    value: f64,
    d_images: Vec<f32>,
    d_texts: Vec<f32>,
}

fn near(found: &[f32], expected: &[f32]) {
    let size = expected.iter().fold(1e-6_f32, |size, v| size.max(v.abs()));
    assert_eq!(found.len(), expected.len());
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() < 2e-5 * size, "{f}, expected {e}");
    }
}

#[test]
fn weighted_losses_and_gradients_are_pytorchs() {
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../tests/golden/weighted_losses.json")).unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: case.scale,
        };
        let each: Vec<f64> = case
            .targets
            .iter()
            .map(|&c| case.weights[c as usize])
            .collect();
        let targets: Vec<Vec<u32>> = case.targets.iter().map(|&c| vec![c]).collect();
        let weights = Some(ImageWeights {
            each: &each,
            total: each.iter().sum(),
        });
        let plain = LossInput::new(&case.images, &case.texts, case.width, &targets);
        let found = head.step(&LossInput { weights, ..plain }).unwrap();
        assert!((found.loss - case.value).abs() < 1e-5 * case.value.max(1.0));
        near(&found.d_images, &case.d_images);
        near(&found.d_texts, &case.d_texts);
    }
}

#[test]
fn gradients_are_those_of_finite_differences_and_equal_weights_change_nothing() {
    const WIDTH: usize = 7;
    let head = LossHead {
        loss: Loss::CrossEntropy,
        scale: 5.0,
    };
    let (images, texts) = (values(4 * WIDTH, 1), values(3 * WIDTH, 2));
    let targets: Vec<Vec<u32>> = [0, 2, 1, 2].map(|class| vec![class]).to_vec();
    let of = |images: &[f32], each: &[f64]| {
        let weights = Some(ImageWeights {
            each,
            total: each.iter().sum(),
        });
        let plain = LossInput::new(images, &texts, WIDTH, &targets);
        head.step(&LossInput { weights, ..plain }).unwrap()
    };
    let each = [0.5, 3.0, 1.0, 3.0];
    let output = of(&images, &each);
    for at in 0..images.len() {
        let moved = |by: f32| {
            let mut images = images.clone();
            images[at] += by;
            of(&images, &each).loss
        };
        let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
        assert!(
            (slope - f64::from(output.d_images[at])).abs() < 2e-3,
            "{at}"
        );
    }
    let even = of(&images, &[2.0; 4]);
    let plain = head
        .step(&LossInput::new(&images, &texts, WIDTH, &targets))
        .unwrap();
    assert!((even.loss - plain.loss).abs() < 1e-12);
    near(&even.d_texts, &plain.d_texts);
}
