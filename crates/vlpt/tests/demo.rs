//! `vlpt demo` by its binary: offline, tuned beats zero-shot, and the same bytes again.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::path::Path;

use serde_json::{Value, json};

#[test]
fn the_demo_gains_over_zero_shot_and_repeats_to_the_byte() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = [
        "demo", "--tasks", "stripes", "--shots", "8", "--json", "--quiet",
    ];
    let printed = common::ok(first.path(), &args);
    let measured: Value = serde_json::from_str(&printed).unwrap();
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
fn the_demo_ends_with_what_the_tasks_do_for_each_other() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let tasks = ["--tasks", "stripes,shapes,counts", "--shots", "2"];
    let args = [&["demo"], &tasks[..], &["--json", "--quiet"]].concat();
    let printed = common::ok(folder, &args);
    let measured: Value = serde_json::from_str(&printed).unwrap();
    let together = &measured["together"];
    assert_eq!(together["sources"], json!(["stripes", "shapes"]));
    assert_eq!(together["targets"].as_array().unwrap().len(), 1);
    let target = &together["targets"][0];
    assert_eq!(
        (&target["task"], &target["gain"]["count"]),
        (&json!("counts"), &json!(5))
    );
    assert_eq!(together["matrix"]["pairs"], 6);

    let text = common::ok(folder, &[&["demo", "--quiet"], &tasks[..]].concat());
    for part in [
        "from the source prompt %",
        "learned on",
        "Of 6 pairs of different tasks",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let page = fs_err::read_to_string(folder.join("vlpt-demo/report.html")).unwrap();
    assert!(page.contains("One prompt for many tasks") && page.contains("Zero-shot transfer"));
    assert!(folder.join("vlpt-demo/study/merged/report.html").is_file());
    the_commands_do_what_the_demo_did(folder, &page, together);
}

/// The page's commands, as they stand, end in the same files and numbers.
fn the_commands_do_what_the_demo_did(folder: &Path, page: &str, together: &Value) {
    let bytes = |path: &str| fs_err::read(folder.join(path)).unwrap();
    let plan = bytes("vlpt-demo/study/plan.jsonl");
    let matrix = bytes("vlpt-demo/study/merged/matrix.csv");
    fs_err::remove_dir_all(folder.join("vlpt-demo/study")).unwrap();
    let (_, commands) = page.split_once("<pre><code>").unwrap();
    let (commands, _) = commands.split_once("</code>").unwrap();
    let mut adapted = Value::Null;
    for line in commands.lines() {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        if words[0] == "multitask" || words[0] == "study" {
            let printed = common::ok(folder, &[&words[..], &["--json", "--quiet"]].concat());
            if words[1] == "adapt" {
                adapted = serde_json::from_str(&printed).unwrap();
            }
        }
    }
    assert_eq!(bytes("vlpt-demo/study/plan.jsonl"), plan);
    assert_eq!(bytes("vlpt-demo/study/merged/matrix.csv"), matrix);
    let target = &together["targets"][0];
    assert_eq!(adapted["source"], target["source"]);
    assert_eq!(adapted["zero_shot"], target["zero_shot"]);
    let first = fs_err::read_dir(folder.join("vlpt-demo/runs"))
        .unwrap()
        .map(|entry| {
            entry
                .unwrap()
                .path()
                .join("adapted-counts-2shots-seed1/adapted.json")
        })
        .find(|path| path.is_file())
        .unwrap();
    let first: Value = serde_json::from_slice(&fs_err::read(first).unwrap()).unwrap();
    for key in ["scratch", "adapted"] {
        assert_eq!(adapted[key], first[key], "{key}");
    }
}

/// The folder that the demo leaves behind is a data set like any other.
#[test]
fn the_demo_tunes_on_real_photos_and_leaves_them() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let args = ["demo", "--tasks", "photos", "--json", "--quiet"];
    let measured: Value = serde_json::from_str(&common::ok(folder, &args)).unwrap();
    let photos = &measured["tasks"][0];
    assert_eq!(
        (&photos["classes"], &photos["test_images"]),
        (&json!(5), &json!(100))
    );
    let share = |key: &str| photos[key].as_f64().unwrap();
    assert!(share("low") > share("zero_shot") + 0.2, "{measured}");
    assert!(measured.get("together").is_none());

    let page = fs_err::read_to_string(folder.join("vlpt-demo/report.html")).unwrap();
    assert!(page.contains("EuroSAT by Helber et al."));
    let (_, commands) = page.split_once("<pre><code>").unwrap();
    let (commands, _) = commands.split_once("</code>").unwrap();
    let mut last = (String::new(), String::new());
    for line in commands.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().skip(1).collect();
        let printed = common::ok(folder, &[&words[..], &["--json", "--quiet"]].concat());
        last = (words[0].to_owned(), printed);
    }
    assert_eq!(last.0, "eval");
    let evaluated: Value = serde_json::from_str(&last.1).unwrap();
    assert_eq!(evaluated["value"], photos["tuned"], "{evaluated}");
}

#[test]
fn an_unknown_task_is_refused_before_any_work() {
    let folder = tempfile::tempdir().unwrap();
    let failed = common::run(folder.path(), &["demo", "--tasks", "shapes,digts"]);
    assert!(!failed.status.success());
    let said = String::from_utf8_lossy(&failed.stderr);
    assert!(
        said.contains("digts") && said.contains("'digits'") && said.contains("photos"),
        "{said}"
    );
    assert!(!folder.path().join("vlpt-demo").exists());
}
