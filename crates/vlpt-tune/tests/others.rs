//! Temperature, label issues, BBC-CV and power laws against SciPy, cleanlab and NumPy.

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use vlpt_tune::bbc::{Answers, estimate};
use vlpt_tune::calibrate::{probabilities, temperature};
use vlpt_tune::curve::PowerLaw;
use vlpt_tune::labels::suspects;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/tune.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    let all = value.as_array().unwrap().iter();
    all.map(|number| number.as_f64().unwrap()).collect()
}

fn places(value: &Value) -> Vec<usize> {
    numbers(value)
        .into_iter()
        .map(|place| place as usize)
        .collect()
}

fn logits(case: &Value) -> Vec<f32> {
    numbers(&case["logits"])
        .into_iter()
        .map(|v| v as f32)
        .collect()
}

#[test]
fn temperatures_are_scipys() {
    for case in golden()["held_out"].as_array().unwrap() {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let found = temperature(&logits(case), classes, &places(&case["labels"]));
        let expected = case["temperature"].as_f64().unwrap();
        assert!((found / expected - 1.0).abs() < 1e-5, "{found} {expected}");
    }
}

#[test]
fn label_issues_are_cleanlabs_in_its_order() {
    let mut seen = 0;
    for case in golden()["held_out"].as_array().unwrap() {
        let classes = case["classes"].as_u64().unwrap() as usize;
        let (logits, labels) = (logits(case), places(&case["labels"]));
        let rows = probabilities(&logits, classes, temperature(&logits, classes, &labels));
        let found = suspects(&rows, classes, &labels);
        let found: Vec<usize> = found.iter().map(|suspect| suspect.photo).collect();
        assert_eq!(found, places(&case["issues"]));
        seen += found.len();
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn the_corrected_estimate_is_numpys() {
    let golden = &golden()["bbc"];
    let right: Vec<Vec<bool>> = golden["right"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| numbers(row).into_iter().map(|v| v > 0.5).collect())
        .collect();
    let weights = vec![1.0; right[0].len()];
    let answers = Answers {
        right: &right,
        weights: &weights,
    };
    let best = |bag: &[usize]| {
        let share = |candidate| answers.share(candidate, bag.iter().copied());
        (1..right.len()).fold(0, |best, next| {
            if share(next) > share(best) {
                next
            } else {
                best
            }
        })
    };
    let resamples = golden["resamples"].as_u64().unwrap() as usize;
    let seed = golden["seed"].as_u64().unwrap();
    let found = estimate(&answers, &best, resamples, 0.95, seed);
    let expected = |name: &str| golden[name].as_f64().unwrap();
    assert!((found.value - expected("value")).abs() < 1e-12);
    // Here Wilson's interval is inside.
    assert!((found.low - expected("low")).abs() < 1e-12, "{found:?}");
    assert!((found.high - expected("high")).abs() < 1e-12, "{found:?}");
}

#[test]
fn power_laws_are_scipys() {
    let golden = &golden()["law"];
    let points: Vec<(f64, f64)> = golden["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (point[0].as_f64().unwrap(), point[1].as_f64().unwrap()))
        .collect();
    let [top, fall, rate] = numbers(&golden["fitted"])[..] else {
        panic!("three numbers")
    };
    let found = PowerLaw::fit(&points).unwrap();
    for (ours, theirs) in [(found.top, top), (found.fall, fall), (found.rate, rate)] {
        assert!((ours - theirs).abs() < 1e-3, "{found:?}");
    }
}
