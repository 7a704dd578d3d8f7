//! Statistics against SciPy and statsmodels (`golden/make_statistics.py`).

use serde_json::Value;
use vlpt_tables::stats::{friedman_ranks, holm, permutation_test, summary};

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/statistics.json")).expect("the golden file is JSON")
}

fn cases(name: &str) -> Vec<Value> {
    golden()[name].as_array().expect("a list").clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn near(found: f64, expected: &Value, tolerance: f64) {
    let expected = expected.as_f64().expect("a number");
    assert!(
        (found - expected).abs() <= tolerance * expected.abs().max(1e-3),
        "{found} for {expected}"
    );
}

#[test]
fn the_paired_permutation_test_is_scipys() {
    for case in cases("paired") {
        let found = permutation_test(&numbers(&case["differences"]), 0).expect("a test");
        assert!(found.exact);
        near(found.p, &case["p"], 1e-12);
    }
}

#[test]
fn many_pairs_are_drawn_and_come_near_the_exact_test() {
    // Twenty-one differences, one of them of no weight: what twenty of them give is exact.
    let mut differences: Vec<f64> = (0..20)
        .map(|i| f64::from(i % 7) - 2.0 + 0.1 * f64::from(i))
        .collect();
    let exact = permutation_test(&differences, 0).expect("a test");
    differences.push(1e-12);
    let drawn = permutation_test(&differences, 0).expect("a test");
    assert!(exact.exact && !drawn.exact);
    assert!((exact.p - drawn.p).abs() < 0.005, "{} {}", exact.p, drawn.p);
    assert_eq!(
        drawn,
        permutation_test(&differences, 0).expect("a test"),
        "the same seed draws the same"
    );
}

#[test]
fn right_and_wrong_answers_are_mcnemars_exact_test() {
    // 25 images where only one of two methods is right, 19 of them the first: twice the tail of the
    // binomial distribution with n 25, k 6.
    let mut differences = vec![1.0; 19];
    differences.extend([-1.0; 6]);
    differences.extend([0.0; 400]);
    let found = permutation_test(&differences, 0).expect("a test");
    assert!(
        found.exact && (found.p - 0.014_633_297_920_227_05).abs() < 1e-12,
        "{}",
        found.p
    );
}

#[test]
fn holms_correction_is_statsmodels() {
    for case in cases("holm") {
        for (found, expected) in holm(&numbers(&case["p"]))
            .iter()
            .zip(case["corrected"].as_array().expect("a list"))
        {
            near(*found, expected, 1e-12);
        }
    }
}

#[test]
fn ranks_and_their_critical_difference_are_scipys() {
    for case in cases("ranked") {
        let values: Vec<Vec<f64>> = case["values"]
            .as_array()
            .expect("rows")
            .iter()
            .map(numbers)
            .collect();
        let found = friedman_ranks(&values).expect("ranks");
        for (found, expected) in found
            .average
            .iter()
            .zip(case["average"].as_array().expect("a list"))
        {
            near(*found, expected, 1e-12);
        }
        near(
            found.critical_difference.expect("a difference"),
            &case["critical"],
            1e-6,
        );
    }
    assert_eq!(friedman_ranks(&[]), None);
    assert_eq!(friedman_ranks(&[vec![1.0, 2.0], vec![1.0]]), None);
}

#[test]
fn means_and_intervals_are_scipys() {
    for case in cases("summed") {
        let found = summary(&numbers(&case["values"]), 0.95).expect("a summary");
        let (low, high) = found.interval.expect("an interval");
        near(found.mean, &case["mean"], 1e-12);
        near(found.std.expect("a deviation"), &case["std"], 1e-12);
        near(low, &case["low"], 1e-9);
        near(high, &case["high"], 1e-9);
    }
}

#[test]
fn nothing_and_what_is_no_number_has_no_test() {
    assert_eq!(permutation_test(&[], 0), None);
    assert_eq!(permutation_test(&[1.0, f64::NAN], 0), None);
    assert_eq!(permutation_test(&[0.0, 0.0], 0).expect("a test").p, 1.0);
}
