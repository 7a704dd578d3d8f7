//! Variances, cosines and rank correlations against NumPy and SciPy (`golden/make_numbers.py`).
#![allow(clippy::unwrap_used)]

use serde_json::Value;
use vlpt_inspect::rank::spearman;
use vlpt_inspect::similarity::{Measure, Profile, compare};
use vlpt_inspect::variance::{spread, units, within_classes};

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/numbers.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f32> {
    let values = value.as_array().unwrap().iter();
    values.map(|v| v.as_f64().unwrap() as f32).collect()
}

#[track_caller]
fn assert_close(found: f64, want: &Value) {
    let want = want.as_f64().unwrap();
    assert!((found - want).abs() < 1e-6, "{found}, NumPy has {want}");
}

#[test]
fn variances_are_numpys() {
    let golden = &golden()["variances"];
    let embed = golden["embed"].as_u64().unwrap() as usize;
    let labels: Vec<u32> = floats(&golden["labels"])
        .iter()
        .map(|&l| l as u32)
        .collect();
    let labels: Vec<&[u32]> = labels.chunks(1).collect();
    let within = within_classes(&floats(&golden["features"]), embed, &labels, 3);
    assert_close(within, &golden["within"]);
    let between = spread(&units(&floats(&golden["texts"]), embed));
    assert_close(between, &golden["between"]);
}

#[test]
fn cosines_are_numpys() {
    let golden = &golden()["cosine"];
    let width = golden["width"].as_u64().unwrap() as usize;
    let profile = |values: Vec<f32>| Profile {
        features: values
            .chunks(width)
            .enumerate()
            .map(|(i, row)| (format!("class {i}"), row.to_vec()))
            .collect(),
        text: values,
        ..Profile::default()
    };
    let (a, b) = (profile(floats(&golden["a"])), profile(floats(&golden["b"])));
    let tokens = compare(&Measure::TextTokens, &a, &b).unwrap();
    assert_close(tokens, &golden["whole"]);
    let features = compare(&Measure::ClassFeatures, &a, &b).unwrap();
    assert_close(features, &golden["mean_of_rows"]);
}

#[test]
fn rank_correlations_and_their_exact_test_are_scipys() {
    for case in golden()["ranks"].as_array().unwrap() {
        let (x, y) = (floats(&case["x"]), floats(&case["y"]));
        let pairs: Vec<(f64, f64)> = x
            .iter()
            .zip(&y)
            .map(|(&x, &y)| (f64::from(x), f64::from(y)))
            .collect();
        let found = spearman(&pairs);
        assert_eq!(found.n, pairs.len());
        assert_close(found.rho.unwrap(), &case["rho"]);
        match found.p {
            Some(p) => assert_close(p, &case["p"]),
            None => assert!(case["p"].is_null()),
        }
    }
}
