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
fn figures_of_one_set_stand_beside_own_results_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "task,method,seed,shots,value\nEuroSAT,CoOp,1,16,90\nDTD,CoOp,1,16,30\n";
    fs::write(folder.path().join("results.csv"), rows).unwrap();
    let beside = |what: &str| {
        ok(
            folder.path(),
            &["compare", "results.csv", "--published", what],
        )
    };
    let row = |text: &str| {
        let mut lines = text.lines().filter(|line| line.starts_with("| CoOp |"));
        let row = lines.next().unwrap().to_owned();
        assert!(lines.next().is_none(), "{text}");
        row
    };
    let text = beside("few-shot RN50:EuroSAT");
    assert!(row(&text).contains("| 90.00 |"), "{text}");
    let text = beside("few-shot");
    assert!(row(&text).contains("| 60.00 |"), "{text}");
    assert!(
        text.contains("Averages from here are over 2 tasks."),
        "{text}"
    );
}

#[test]
fn nothing_is_written_over_and_no_method_vanishes_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let head = "task,method,seed,shots,measure,value\n";
    let rows = "a,m,1,4,score,50\na,m,1,4,accuracy,60\na,n,1,4,accuracy,70\n";
    fs::create_dir(at.join("own")).unwrap();
    let file = at.join("own/results.csv");
    fs::write(&file, format!("{head}{rows}")).unwrap();
    let before = fs::read(&file).unwrap();
    let said = transcript(at, &["compare", "own/results.csv", "--out", "own"]);
    assert!(said.starts_with("exit code: 2"), "{said}");
    assert!(
        said.contains("own/results.csv would be written over"),
        "{said}"
    );
    assert!(fs::read(&file).unwrap() == before);
    let said = transcript(at, &["compare", "own/results.csv", "--out", "tables"]);
    assert!(
        said.contains("not compared: n (measures are score, accuracy)"),
        "{said}"
    );
    for (left_out, expected) in [
        ("typo", "there are no results of it"),
        ("m,n", "all methods"),
    ] {
        let said = transcript(at, &["compare", "own/results.csv", "--leave-out", left_out]);
        assert!(
            said.starts_with("exit code: 2") && said.contains(expected),
            "{said}"
        );
    }
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
