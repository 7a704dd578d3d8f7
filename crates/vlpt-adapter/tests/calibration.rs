//! Macro F1, calibration and Brier score against scikit-learn's on random and degenerate
//! probabilities (`golden/make_calibration.py`).

#![allow(clippy::unwrap_used)]

use serde_json::Value;
use vlpt_adapter::Scored;
use vlpt_adapter::metrics::{Calibration, brier_score, macro_f1, temperature};

fn close(found: f64, expected: &Value, place: &str) {
    let expected = expected.as_f64().unwrap();
    assert!(
        (found - expected).abs() <= 1e-12,
        "{place}: {found} {expected}"
    );
}

#[test]
fn every_number_is_scikit_learns() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/calibration.json")).unwrap();
    assert!(cases.len() >= 14);
    for case in &cases {
        let read = |key: &str| case[key].clone();
        let scored = Scored::new(
            serde_json::from_value(read("scores")).unwrap(),
            serde_json::from_value(read("classes")).unwrap(),
            serde_json::from_value(read("labels")).unwrap(),
        )
        .unwrap();
        let name = &case["name"].to_string();
        close(macro_f1(&scored).unwrap(), &case["macro_f1"], name);
        close(brier_score(&scored).unwrap(), &case["brier"], name);
        for curve in case["curves"].as_array().unwrap() {
            let bins = curve["bins"].as_u64().unwrap() as usize;
            let place = &format!("{name}, {bins} bins");
            let found = Calibration::new(&scored, bins).unwrap();
            close(found.expected_error, &curve["expected"], place);
            close(found.largest_error, &curve["largest"], place);
            let counts: Vec<usize> = found.bins.iter().map(|bin| bin.images).collect();
            assert_eq!(
                counts,
                serde_json::from_value::<Vec<usize>>(curve["counts"].clone()).unwrap()
            );
            // scikit-learn leaves empty bins out
            let used = found.bins.iter().filter(|bin| bin.images > 0);
            let listed = |key: &str| curve[key].as_array().unwrap().clone();
            let (accuracy, confidence) = (listed("accuracy"), listed("confidence"));
            assert_eq!(used.clone().count(), accuracy.len());
            for ((bin, accuracy), confidence) in used.zip(&accuracy).zip(&confidence) {
                close(bin.accuracy.unwrap(), accuracy, place);
                close(bin.confidence.unwrap(), confidence, place);
                assert!(
                    bin.low <= bin.confidence.unwrap()
                        && bin.confidence.unwrap() <= bin.high + 1e-12
                );
            }
            let empty = found.bins.iter().filter(|bin| bin.images == 0);
            assert!(
                empty
                    .into_iter()
                    .all(|bin| bin.accuracy.is_none() && bin.confidence.is_none())
            );
        }
    }
}

#[test]
fn what_is_no_probability_of_one_class_is_refused() {
    let scored = |scores: &[f64], labels: &[&[u32]]| {
        let labels = labels.iter().map(|own| own.to_vec()).collect();
        Scored::new(scores.to_vec(), 2, labels).unwrap()
    };
    let logits = scored(&[3.0, -1.0], &[&[0]]);
    let error = Calibration::new(&logits, 10).unwrap_err();
    assert!(
        error.to_string().contains("image 0 are no probabilities"),
        "{error}"
    );
    assert_eq!(error.hint().unwrap(), "give the softmax of the logits");
    assert!(brier_score(&logits).is_err());
    assert!(Calibration::new(&logits.softmax(), 10).is_ok());
    let error = Calibration::new(&logits.softmax(), 0).unwrap_err();
    assert!(error.to_string().contains("0 bins"), "{error}");
    let many = scored(&[0.5, 0.5], &[&[0, 1]]);
    for error in [
        Calibration::new(&many, 10).unwrap_err(),
        brier_score(&many).unwrap_err(),
        macro_f1(&many).unwrap_err(),
    ] {
        assert!(error.to_string().contains("image 0 has 2"), "{error}");
    }
}

/// `golden/make_temperature.py`.
#[test]
fn temperatures_and_what_they_make_of_probabilities_are_scipys_and_scikit_learns() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/temperature.json")).unwrap();
    assert!(cases.len() >= 6);
    let mut better = 0;
    for case in &cases {
        let name = &case["name"].to_string();
        let classes = case["classes"].as_u64().unwrap() as usize;
        let logits = |key: &str| -> Vec<f32> { serde_json::from_value(case[key].clone()).unwrap() };
        let labels =
            |key: &str| -> Vec<usize> { serde_json::from_value(case[key].clone()).unwrap() };
        let found = temperature(&logits("held_logits"), classes, &labels("held_labels"));
        let expected = case["temperature"].as_f64().unwrap();
        assert!(
            (found / expected - 1.0).abs() < 1e-6,
            "{name}: {found} {expected}"
        );
        if let Some(plain) = case["plain"].as_f64() {
            // smoothing is no more than the images' number says
            let images = labels("held_labels").len() as f64;
            assert!(
                (found / plain - 1.0).abs() < 20.0 / images,
                "{name}: {found} {plain}"
            );
        }
        let truth = labels("labels").into_iter().map(|label| vec![label as u32]);
        let scored = Scored::from_f32(&logits("logits"), classes, truth.collect()).unwrap();
        for (key, soft) in [
            ("before", scored.softmax()),
            ("after", scored.divided_by(expected).softmax()),
        ] {
            let curve = Calibration::new(&soft, 15).unwrap();
            close(curve.expected_error, &case[key]["ece"], name);
            close(brier_score(&soft).unwrap(), &case[key]["brier"], name);
        }
        let error = |key: &str| case[key]["ece"].as_f64().unwrap();
        better += usize::from(error("after") < error("before"));
    }
    // one held-out image alone may say the wrong thing
    assert_eq!(better, cases.len() - 1);
}
