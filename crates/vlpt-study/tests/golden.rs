//! Similarity, statistics and linkage agree with numpy and scipy (`golden/make.py`).

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::Value;
use vlpt_base::stats::{ranks, spearman, student_t_quantile};
use vlpt_study::groups::{average_linkage, dendrogram};
use vlpt_study::similarity::{FeatureSet, TaskLabels, label_similarity, visual_similarity};
use vlpt_study::stats::summary;
use vlpt_study::{TaskMatrix, similarity};

fn golden(topic: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("golden/golden.json")).unwrap();
    all[topic].clone()
}

fn floats(value: &Value) -> Vec<f64> {
    let values = value.as_array().unwrap();
    values.iter().map(|v| v.as_f64().unwrap()).collect()
}

fn singles(value: &Value) -> Vec<f32> {
    floats(value).iter().map(|&v| v as f32).collect()
}

fn whole(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn assert_near(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    let far = (found - expected).abs() / expected.abs().max(1.0);
    assert!(far < 1e-9, "{what}: {found} is not {expected}");
}

#[test]
fn visual_similarity_agrees_with_numpy() {
    let golden = golden("visual");
    let width = whole(&golden["width"]);
    let sets: Vec<_> = golden["sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(singles)
        .collect();
    let tasks: Vec<_> = sets
        .iter()
        .enumerate()
        .map(|(k, set)| (k.to_string(), FeatureSet::new(set, width).unwrap()))
        .collect();
    let found = visual_similarity(&tasks).unwrap();
    for pair in golden["pairs"].as_array().unwrap() {
        let (i, j) = (whole(&pair["i"]), whole(&pair["j"]));
        for (i, j) in [(i, j), (j, i)] {
            let at = |matrix: &TaskMatrix| matrix.get(i, j).unwrap();
            assert_near(at(&found.mean_cosine), &pair["mean_cosine"], "mean cosine");
            assert_near(at(&found.cka), &pair["cka"], "CKA");
            // With fewer images than axes the reference takes roots of eigenvalues that are zero
            // up to rounding, and errs by about 1e-8; here there is nothing to take a root of.
            let expected = pair["frechet"].as_f64().unwrap();
            assert!((at(&found.frechet) - expected).abs() < 1e-7, "Fréchet");
        }
    }
}

#[test]
fn a_set_is_like_itself_whatever_the_order_and_number_of_its_images() {
    let golden = golden("visual");
    let width = whole(&golden["width"]);
    for set in golden["sets"].as_array().unwrap().iter().map(singles) {
        let one = FeatureSet::new(&set, width).unwrap();
        let backwards: Vec<f32> = set.chunks(width).rev().flatten().copied().collect();
        let other = FeatureSet::new(&backwards, width).unwrap();
        assert!((one.cka(&other) - 1.0).abs() < 1e-12);
        assert!(one.frechet(&other) < 1e-12);
        let twice = FeatureSet::new(&[set.clone(), set].concat(), width).unwrap();
        assert!((one.cka(&twice) - 1.0).abs() < 1e-12);
    }
}

#[test]
fn what_is_no_feature_is_refused() {
    assert!(FeatureSet::new(&[1.0, 0.0], 2).is_err(), "one image");
    assert!(FeatureSet::new(&[1.0, 0.0, 1.0], 2).is_err(), "half a row");
    assert!(FeatureSet::new(&[1.0, 0.0, 0.0, 0.0], 2).is_err(), "zero");
    assert!(FeatureSet::new(&[1.0, 0.0, f32::NAN, 0.0], 2).is_err());
    assert!(FeatureSet::new(&[], 0).is_err());
}

#[test]
fn label_similarity_agrees_with_numpy() {
    let golden = golden("label");
    let width = whole(&golden["width"]);
    let tasks: Vec<_> = (0..2)
        .map(|k| TaskLabels {
            task: k.to_string(),
            classes: serde_json::from_value(golden["names"][k].clone()).unwrap(),
            features: singles(&golden["sets"][k]),
        })
        .collect();
    let found = label_similarity(&tasks, width).unwrap();
    for pair in golden["pairs"].as_array().unwrap() {
        let at = |matrix: &TaskMatrix| matrix.get(whole(&pair["i"]), whole(&pair["j"])).unwrap();
        assert_near(at(&found.mean_cosine), &pair["mean_cosine"], "mean cosine");
        assert_near(at(&found.best_match), &pair["best_match"], "best match");
        assert_near(at(&found.overlap), &pair["overlap"], "overlap");
    }
}

#[test]
fn prompts_are_compared_whole_or_by_their_mean_token() {
    use similarity::{PromptMeasure, prompt_similarity};
    let prompts = [
        ("a".to_owned(), vec![1.0, 0.0, 0.0, 1.0]),
        ("b".to_owned(), vec![0.0, 1.0, 1.0, 0.0]), // the same tokens, swapped
    ];
    let all = prompt_similarity(&prompts, 2, PromptMeasure::All).unwrap();
    let mean = prompt_similarity(&prompts, 2, PromptMeasure::MeanToken).unwrap();
    assert_eq!(all.values(), [1.0, 0.0, 0.0, 1.0]);
    assert!((mean.get(0, 1).unwrap() - 1.0).abs() < 1e-12);
    let uneven = [prompts[0].clone(), ("c".to_owned(), vec![1.0; 6])];
    assert!(prompt_similarity(&uneven, 2, PromptMeasure::All).is_err());
}

#[test]
fn rank_correlation_agrees_with_scipy_with_ties_too() {
    for case in golden("spearman").as_array().unwrap() {
        let (x, y) = (floats(&case["x"]), floats(&case["y"]));
        assert_eq!(ranks(&x), floats(&case["ranks"]));
        assert_near(spearman(&x, &y).unwrap(), &case["rho"], "rho");
    }
}

#[test]
fn t_quantiles_and_intervals_agree_with_scipy() {
    for case in golden("quantiles").as_array().unwrap() {
        let (p, f) = (
            case["p"].as_f64().unwrap(),
            case["freedom"].as_f64().unwrap(),
        );
        assert_near(
            student_t_quantile(p, f),
            &case["t"],
            &format!("t({p}, {f})"),
        );
    }
    for case in golden("summaries").as_array().unwrap() {
        let found = summary(&floats(&case["values"]), 0.95).unwrap();
        let (low, high) = found.interval.unwrap();
        assert_near(found.mean, &case["mean"], "mean");
        assert_near(found.std.unwrap(), &case["std"], "std");
        assert_near(low, &case["low"], "low");
        assert_near(high, &case["high"], "high");
    }
}

#[test]
fn average_linkage_agrees_with_scipy() {
    for case in golden("linkage").as_array().unwrap() {
        let n = whole(&case["n"]);
        let distances = floats(&case["distances"]);
        let merges = average_linkage(n, &distances).unwrap();
        for (merge, expected) in merges.iter().zip(case["merges"].as_array().unwrap()) {
            let expected = floats(expected);
            assert_eq!(merge.left as f64, expected[0]);
            assert_eq!(merge.right as f64, expected[1]);
            assert_eq!(merge.size as f64, expected[3]);
            assert!((merge.distance - expected[2]).abs() < 1e-12);
        }
        assert_eq!(merges.len(), n - 1);
        // Affinity is the negative distance, so the tree of these gains is the same.
        let names: Vec<_> = (0..n).map(|k| k.to_string()).collect();
        let gains = TaskMatrix::from_fn(names.clone(), names, |i, j| -distances[i * n + j]);
        let order: Vec<f64> = dendrogram(&gains)
            .unwrap()
            .order
            .iter()
            .map(|&k| k as f64)
            .collect();
        assert_eq!(order, floats(&case["order"]));
    }
}
