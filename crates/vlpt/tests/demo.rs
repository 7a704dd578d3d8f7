//! `vlpt demo` by its binary: offline, tuned beats zero-shot, and the same bytes again.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::path::Path;

#[test]
fn the_demo_gains_over_zero_shot_and_repeats_to_the_byte() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = [
        "demo", "--tasks", "stripes", "--shots", "8", "--json", "--quiet",
    ];
    let printed = common::ok(first.path(), &args);
    let measured: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let share = |key: &str| measured[key].as_f64().unwrap();
    assert!(
        share("mean_tuned") > share("mean_zero_shot") + 0.2,
        "{measured}"
    );

    let page =
        |folder: &Path| fs_err::read_to_string(folder.join("vlpt-demo/report.html")).unwrap();
    assert!(page(first.path()).contains("falling diagonal stripes taken for"));
    assert_eq!(common::ok(second.path(), &args), printed);
    assert_eq!(page(second.path()), page(first.path()));

    // a finished run is taken as it is
    assert_eq!(common::ok(first.path(), &args), printed);
    assert_eq!(page(first.path()), page(second.path()));
}

#[test]
fn an_unknown_task_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let failed = common::run(folder.path(), &["demo", "--tasks", "shapes,digts"]);
    assert!(!failed.status.success());
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(
        said.contains("digts") && said.contains("did you mean `digits`"),
        "{said}"
    );
    assert!(!folder.path().join("vlpt-demo").exists());
}
