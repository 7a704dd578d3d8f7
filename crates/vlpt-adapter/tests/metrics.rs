//! The metrics against scikit-learn's on random and degenerate scores
//! (`golden/make_metrics.py`).

#![allow(clippy::print_stderr, clippy::unwrap_used)]

use serde_json::Value;
use vlpt_adapter::metrics::{IntervalKind, evaluate, wilson};
use vlpt_adapter::{Bootstrap, Scored};
use vlpt_data::Metric;

fn scored(case: &Value) -> Scored {
    let read = |key: &str| case[key].clone();
    Scored::new(
        serde_json::from_value(read("scores")).unwrap(),
        serde_json::from_value(read("classes")).unwrap(),
        serde_json::from_value(read("labels")).unwrap(),
    )
    .unwrap()
}

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("golden/metrics.json")).unwrap()
}

const METRICS: [Metric; 4] = [
    Metric::Accuracy,
    Metric::MeanPerClass,
    Metric::ElevenPointMap,
    Metric::RocAuc,
];

#[test]
fn every_metric_is_scikit_learns() {
    let mut compared = 0;
    for case in cases() {
        let scored = scored(&case);
        for metric in METRICS {
            let place = format!("{} of {}", metric.name(), case["name"]);
            let found = evaluate(metric, &scored);
            match case[metric.name()].as_f64() {
                Some(expected) => {
                    let found = found.unwrap_or_else(|error| panic!("{place}: {error}"));
                    assert!(
                        (found - expected).abs() <= 1e-12,
                        "{place}: {found} {expected}"
                    );
                    compared += 1;
                }
                // No value: undefined, or a metric that does not fit the task.
                None => assert!(found.is_err(), "{place}: {found:?}"),
            }
        }
    }
    assert!(compared > 150, "only {compared} values compared");
}

#[test]
fn a_metric_that_does_not_fit_says_why() {
    let many = Scored::new(vec![0.1, 0.9, 0.3], 3, vec![vec![0, 2]]).unwrap();
    let error = evaluate(Metric::Accuracy, &many).unwrap_err();
    assert!(error.to_string().contains("image 0 has 2"), "{error}");
    assert!(error.hint().unwrap().contains("11point_mAP"));
    let error = evaluate(Metric::RocAuc, &many).unwrap_err();
    assert!(error.to_string().contains("two classes"), "{error}");
}

#[test]
fn the_interval_holds_the_value_of_ordinary_cases() {
    for case in cases()
        .iter()
        .filter(|case| case["scores"].as_array().unwrap().len() > 100)
    {
        let scored = scored(case);
        for metric in METRICS {
            let Ok(value) = evaluate(metric, &scored) else {
                continue;
            };
            let options = Bootstrap {
                resamples: 200,
                confidence: 0.99,
                seed: 1,
            };
            let interval = options.interval(metric, &scored).unwrap();
            assert_eq!(interval.value, value);
            if interval.kind == IntervalKind::Unknown {
                continue;
            }
            assert!(interval.low <= interval.high);
            assert!((0.0..=1.0).contains(&interval.low) && interval.high <= 1.0);
        }
    }
}

/// `golden/make_intervals.py`.
#[test]
fn the_interval_of_a_share_is_statsmodels() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/intervals.json")).unwrap();
    assert!(cases.len() > 30);
    for case in cases {
        let whole = |key: &str| case[key].as_u64().unwrap();
        let (right, of) = (whole("right"), whole("of"));
        let (low, high) = wilson(right, of, case["confidence"].as_f64().unwrap());
        for (found, expected) in [(low, &case["low"]), (high, &case["high"])] {
            let expected = expected.as_f64().unwrap();
            assert!((found - expected).abs() < 1e-13, "{case}: {found}");
        }
        // And it is what an evaluation of such images says.
        let labels = vec![vec![0]; of as usize];
        let scores = (0..of).flat_map(|i| if i < right { [1.0, 0.0] } else { [0.0, 1.0] });
        let scored = Scored::new(scores.collect(), 2, labels).unwrap();
        let bootstrap = Bootstrap {
            confidence: case["confidence"].as_f64().unwrap(),
            ..Bootstrap::default()
        };
        let found = bootstrap.interval(Metric::Accuracy, &scored).unwrap();
        assert_eq!(
            (found.low, found.high, found.kind),
            (low, high, IntervalKind::Wilson)
        );
    }
}
