use serde_json::Value;

use super::descent::{Model, Problem};
use super::fit::descend;
use super::*;

fn floats(value: &Value) -> Vec<f32> {
    serde_json::from_value(value.clone()).unwrap()
}

fn wave(from: usize, count: usize) -> Vec<f32> {
    (from..from + count)
        .map(|i| (i as f32 * 1.3).sin())
        .collect()
}

/// A part of a model.
type Part = fn(&mut Model) -> &mut Vec<f32>;

#[test]
fn fifty_epochs_are_pytorchs() {
    let golden = include_str!("../../../tests/golden/lp_plus_plus.json");
    let golden: Value = serde_json::from_str(golden).unwrap();
    let width = golden["width"].as_u64().unwrap() as usize;
    let (features, texts) = (floats(&golden["features"]), floats(&golden["texts"]));
    let labels: Vec<u32> = serde_json::from_value(golden["labels"].clone()).unwrap();
    for run in golden["runs"].as_array().unwrap() {
        let weights = floats(&run["weights"]);
        let total: f32 = labels.iter().map(|&label| weights[label as usize]).sum();
        let share = |&label: &u32| weights[label as usize] / total;
        let shares: Vec<f32> = labels.iter().map(share).collect();
        let problem = Problem {
            features: &features,
            labels: &labels,
            shares: &shares,
            texts: &texts,
            width,
        };
        let near = |found: f64, key: &str| {
            let expected = run[key].as_f64().unwrap();
            assert!(
                (found - expected).abs() < 1e-5 * expected,
                "{key}: {found} {expected}"
            );
        };
        let rates = problem.rates();
        near(rates.weight, "rate");
        near(rates.alpha, "alpha_rate");
        let mut model = problem.first(1, floats(&golden["first_bias"]));
        near(f64::from(model.alpha[0]), "first_alpha");
        let config = LpPlusPlusConfig {
            epochs: golden["epochs"].as_u64().unwrap() as usize,
            alpha_every: golden["every"].as_u64().unwrap() as usize,
            momentum: golden["momentum"].as_f64().unwrap(),
            alpha_gradient: if run["accumulated"] == true {
                AlphaGradient::Accumulated
            } else {
                AlphaGradient::Epoch
            },
            ..LpPlusPlusConfig::default()
        };
        let mut seen = Vec::new();
        let mut each = |epoch: usize, _: &Model| {
            seen.push(epoch);
            Ok(())
        };
        let epochs = descend(&mut model, &problem, rates, &config, &mut each).unwrap();
        assert!(seen.into_iter().eq(1..=50));
        let losses: Vec<f64> = serde_json::from_value(run["losses"].clone()).unwrap();
        for (epoch, expected) in epochs.iter().zip(losses) {
            assert!((epoch.loss - expected).abs() < 1e-4, "{epoch:?} {expected}");
        }
        let parts = [
            ("weight", &model.weight),
            ("bias", &model.bias),
            ("alpha", &model.alpha),
        ];
        for (key, found) in parts {
            let expected = floats(&run[key]);
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                let apart = (found - expected).abs();
                assert!(
                    apart < 1e-4 * expected.abs().max(1.0),
                    "{key}: {found} {expected}"
                );
            }
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let (classes, width) = (3, 4);
    let (features, texts) = (wave(0, 5 * width), wave(60, classes * width));
    let problem = Problem {
        features: &features,
        labels: &[0, 1, 2, 1, 0],
        shares: &[0.1, 0.3, 0.2, 0.2, 0.2],
        texts: &texts,
        width,
    };
    let model = Model {
        weight: wave(200, classes * width),
        bias: wave(300, classes),
        alpha: wave(400, classes),
    };
    let slope = problem.slope(&model);
    let parts: [(&str, &[f32], Part); 3] = [
        ("weight", &slope.d_weight, |model| &mut model.weight),
        ("bias", &slope.d_bias, |model| &mut model.bias),
        ("alpha", &slope.d_alpha, |model| &mut model.alpha),
    ];
    for (name, gradient, part) in parts {
        for (i, &found) in gradient.iter().enumerate() {
            let at = |by: f32| {
                let mut moved = model.clone();
                part(&mut moved)[i] += by;
                problem.slope(&moved).loss
            };
            let expected = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!((expected - f64::from(found)).abs() < 2e-4, "{name} {i}");
        }
    }
}

#[test]
fn steps_by_the_features_own_rates_go_down() {
    let width = 6;
    let mut features = wave(0, 40 * width);
    features
        .chunks_exact_mut(width)
        .for_each(crate::zeroshot::normalise);
    let mut texts = wave(500, 4 * width);
    texts
        .chunks_exact_mut(width)
        .for_each(crate::zeroshot::normalise);
    let labels: Vec<u32> = (0..40).map(|i| i * 7 % 4).collect();
    let problem = Problem {
        features: &features,
        labels: &labels,
        shares: &[1.0 / 40.0; 40],
        texts: &texts,
        width,
    };
    let config = LpPlusPlusConfig {
        momentum: 0.0,
        alpha_every: 1,
        ..LpPlusPlusConfig::default()
    };
    let mut model = problem.first(1, vec![0.0; 4]);
    let rates = problem.rates();
    let epochs = descend(&mut model, &problem, rates, &config, &mut |_, _| Ok(())).unwrap();
    for pair in epochs.windows(2) {
        assert!(pair[1].loss <= pair[0].loss + 1e-5, "{pair:?}");
    }
    assert!(epochs[299].loss < 0.9 * epochs[0].loss, "{:?}", epochs[299]);
}

#[test]
fn several_views_of_an_image_do_not_make_a_class_longer() {
    let (features, texts) = (wave(0, 3 * 4), wave(60, 3 * 4));
    let first = |features: &[f32], views: usize| {
        let problem = Problem {
            features,
            labels: &[0, 1, 2].repeat(views),
            shares: &[],
            texts: &texts,
            width: 4,
        };
        problem.first(views, vec![0.0; 3])
    };
    assert_eq!(first(&features, 1), first(&features.repeat(2), 2));
}

#[test]
fn it_has_two_values_for_each_class_beside_the_weights() {
    // Published: classes x (width + 2); ImageNet on ViT-B/16.
    let (classes, width) = (1000, 512);
    let model = Model {
        weight: vec![0.0; classes * width],
        bias: vec![0.0; classes],
        alpha: vec![0.0; classes],
    };
    assert_eq!(model.parameters(), 514_000);
}

#[test]
fn a_loss_that_is_no_number_stops_the_fit_and_names_the_epoch() {
    let problem = Problem {
        features: &[1.0, f32::NAN],
        labels: &[0, 1],
        shares: &[0.5, 0.5],
        texts: &[1.0, 1.0],
        width: 1,
    };
    let mut model = Model {
        weight: vec![0.0; 2],
        bias: vec![0.0; 2],
        alpha: vec![0.0; 2],
    };
    let rates = descent::Rates {
        weight: 1.0,
        alpha: 1.0,
    };
    let config = LpPlusPlusConfig::default();
    let error = descend(&mut model, &problem, rates, &config, &mut |_, _| Ok(())).unwrap_err();
    assert!(error.to_string().contains("NaN in epoch 1"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let refused = |change: fn(&mut LpPlusPlusConfig)| {
        let mut config = LpPlusPlusConfig::default();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(LpPlusPlusConfig::default().check().is_ok());
    assert!(refused(|c| c.epochs = 0).contains("lp_plus_plus.epochs = 0"));
    assert!(refused(|c| c.alpha_every = 0).contains("lp_plus_plus.alpha_every = 0"));
    assert!(refused(|c| c.momentum = 1.0).contains("lp_plus_plus.momentum = 1"));
    assert!(refused(|c| c.momentum = f64::NAN).contains("NaN"));
}
