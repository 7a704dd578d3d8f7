//! `vlpt compare`, run as a user would run it.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{ok, transcript};
use serde_json::Value;

/// Three methods on three tasks with three seeds, at one and four shots.
fn results(folder: &Path) {
    let mut text = "task,method,seed,shots,value,seconds\n".to_owned();
    for shots in [1, 4] {
        for (at, task) in ["birds", "cars", "eurosat"].into_iter().enumerate() {
            for seed in 0..3 {
                for (method, value) in [("zero-shot", 30), ("coop", 40 + 5 * at), ("upt", 50)] {
                    let value = value as f64 + 0.5 * f64::from(seed) + f64::from(shots);
                    text += &format!("{task},{method},{seed},{shots},{value},{}\n", seed + 2);
                }
            }
        }
    }
    fs::write(folder.join("results.csv"), text).unwrap();
}

#[test]
fn means_intervals_ranks_and_tests_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    results(folder.path());
    let args = [
        "compare",
        "results.csv",
        "--shots",
        "4",
        "--without",
        "eurosat",
        "--against",
        "coop",
    ];
    insta::assert_snapshot!(transcript(folder.path(), &args));
    let json: Vec<&str> = ["--json"].into_iter().chain(args).collect();
    let found: Value = serde_json::from_str(&ok(folder.path(), &json)).unwrap();
    assert_eq!(found["averages"][0]["methods"][2]["mean"], 54.5);
    assert_eq!(found["averages"][1]["without"][0], "eurosat");
    assert_eq!(found["pairs"][1]["difference"], 5.0);
    assert_eq!(found["ranking"]["average"][2], 7.0 / 6.0);
}

#[test]
fn tables_and_figures_are_written() {
    let folder = tempfile::tempdir().unwrap();
    results(folder.path());
    let args = [
        "compare",
        "results.csv",
        "--shots",
        "1",
        "--against",
        "zero-shot",
        "--out",
        "out",
    ];
    ok(folder.path(), &args);
    let read = |name: &str| fs::read_to_string(folder.path().join("out").join(name)).unwrap();
    for name in ["values", "seconds", "tests"] {
        let rows = read(&format!("{name}.csv")).lines().count();
        assert!(rows >= 3, "{name}");
        for ending in ["md", "tex", "html"] {
            assert!(
                read(&format!("{name}.{ending}")).contains("coop"),
                "{name}.{ending}"
            );
        }
    }
    assert!(read("values.tex").contains(r"\toprule"));
    let shots = read("shots.svg");
    assert_eq!(shots.matches("<polyline").count(), 3);
    assert!(read("ranks.svg").contains("critical difference"));
}

#[test]
fn published_figures_stand_beside_own_averages() {
    let folder = tempfile::tempdir().unwrap();
    results(folder.path());
    let args = [
        "compare",
        "results.csv",
        "--shots",
        "4",
        "--published",
        "few-shot",
    ];
    let text = ok(folder.path(), &args);
    let coop = text
        .lines()
        .find(|line| line.starts_with("| CoOp |"))
        .unwrap();
    assert!(coop.contains("49.50 ± 1.24 | 73.59 ["), "{coop}");
    assert!(text.contains("EuroSAT decides averages"), "{text}");
    let wrong = transcript(folder.path(), &[&args[..5], &["few-shots"]].concat());
    assert!(
        wrong.starts_with("exit code: 2") && wrong.contains("few-shot:average of 11:accuracy"),
        "{wrong}"
    );
}

#[test]
fn what_is_not_in_the_results_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    results(folder.path());
    fs::write(folder.path().join("other.csv"), "a,b\n1,2\n").unwrap();
    let said: Vec<String> = [
        &["compare", "results.csv"][..],
        &["compare", "results.csv", "--shots", "4", "--against", "vpt"],
        &["compare", "results.csv", "results.csv", "--shots", "4"],
        &["compare", "other.csv"],
        &["compare", "none.csv"],
    ]
    .iter()
    .map(|args| transcript(folder.path(), args))
    .collect();
    insta::assert_snapshot!(said.join("\n"));
}
