//! The baselines against scikit-learn and PyTorch (`golden/make_baselines.py`).

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use vlpt_methods::baselines::{Logistic, TipAdapter};

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/baselines.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    floats(value).into_iter().map(|v| v as f32).collect()
}

fn labels(value: &Value) -> Vec<Vec<u32>> {
    serde_json::from_value(value.clone()).unwrap()
}

fn size(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn distance(found: impl IntoIterator<Item = f64>, expected: &[f64]) -> f64 {
    let found: Vec<f64> = found.into_iter().collect();
    assert_eq!(found.len(), expected.len());
    let apart = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    apart.fold(0.0, f64::max)
}

#[test]
fn the_linear_probe_is_scikit_learns_logistic_regression() {
    for case in golden()["linear_probe"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (width, classes) = (size(&case["width"]), size(&case["classes"]));
        let (features, labels) = (singles(&case["features"]), labels(&case["labels"]));
        let several = case["multi_label"].as_bool().unwrap();
        let problem =
            Logistic::new(&features, width, &labels, classes, several, labels.len()).unwrap();
        let strength = case["strength"].as_f64().unwrap();
        let found = problem.fit(strength, 10_000, 1e-9, None);
        assert!(found.converged, "{name}");

        // Of two classes scikit-learn has one row of weights: the difference of ours.
        let (mut weight, mut bias) = (found.weight.clone(), found.bias.clone());
        if classes == 2 {
            let (first, second) = weight.split_at(width);
            weight = second.iter().zip(first).map(|(b, a)| b - a).collect();
            bias = vec![bias[1] - bias[0]];
        }
        let apart = distance(weight, &floats(&case["weight"]));
        assert!(apart < 1e-4, "{name}: weights differ by {apart}");
        let apart = distance(bias, &floats(&case["bias"]));
        assert!(apart < 1e-4, "{name}: biases differ by {apart}");

        let scores = found.scores(&features);
        let rows = scores.chunks_exact(classes).flat_map(|row| {
            let powers: Vec<f64> = row.iter().map(|&s| f64::from(s).exp()).collect();
            let sum: f64 = powers.iter().sum();
            let share = move |power: f64| {
                if several {
                    power / (1.0 + power)
                } else {
                    power / sum
                }
            };
            powers.into_iter().map(share).collect::<Vec<f64>>()
        });
        let apart = distance(rows, &floats(&case["probabilities"]));
        assert!(apart < 1e-5, "{name}: probabilities differ by {apart}");
    }
}

#[test]
fn views_of_an_image_share_its_weight() {
    let case = &golden()["linear_probe"][0];
    let (features, labels) = (singles(&case["features"]), labels(&case["labels"]));
    let fit = |times: usize| {
        let rows = (features.repeat(times), vec![labels.clone(); times].concat());
        let problem = Logistic::new(&rows.0, 6, &rows.1, 3, false, labels.len()).unwrap();
        problem.fit(1.0, 1000, 1e-10, None)
    };
    let (once, thrice) = (fit(1), fit(3));
    assert!(distance(thrice.weight, &once.weight) < 1e-6);
}

#[test]
fn logits_of_tip_adapter_are_pytorchs() {
    let case = &golden()["tip_adapter"];
    let views = [singles(&case["views"][0]), singles(&case["views"][1])];
    let views: Vec<&[f32]> = views.iter().map(Vec::as_slice).collect();
    let number = |key: &str| case[key].as_f64().unwrap();
    let values = floats(&case["labels"])
        .iter()
        .map(|&c| vec![c as u32])
        .collect();
    let adapter = TipAdapter::new(
        &views,
        values,
        singles(&case["text"]),
        size(&case["width"]),
        number("scale") as f32,
        (number("alpha"), number("beta")),
    );
    let logits = adapter.unwrap().logits(&singles(&case["tests"])).unwrap();
    let logits = logits.into_iter().map(f64::from);
    let apart = distance(logits, &floats(&case["before"]));
    assert!(apart < 2e-5, "logits differ by {apart}");
}

/// `golden/make_class_weights.py`.
#[test]
fn a_probe_with_weights_of_classes_is_scikit_learns() {
    let cases: Value = serde_json::from_str(include_str!("golden/class_weights.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let (width, classes) = (size(&case["width"]), size(&case["classes"]));
        let (features, labels) = (singles(&case["features"]), labels(&case["labels"]));
        let problem = Logistic::new(&features, width, &labels, classes, false, labels.len());
        let problem = problem.unwrap().weighted(&floats(&case["weights"]));
        let found = problem.fit(case["strength"].as_f64().unwrap(), 10_000, 1e-9, None);
        let (mut weight, mut bias) = (found.weight.clone(), found.bias.clone());
        if classes == 2 {
            let (first, second) = weight.split_at(width);
            weight = second.iter().zip(first).map(|(b, a)| b - a).collect();
            bias = vec![bias[1] - bias[0]];
        }
        let apart = distance(weight, &floats(&case["weight"]));
        assert!(apart < 1e-4, "{classes} classes: weights differ by {apart}");
        let apart = distance(bias, &floats(&case["bias"]));
        assert!(apart < 1e-4, "{classes} classes: biases differ by {apart}");
    }
}
