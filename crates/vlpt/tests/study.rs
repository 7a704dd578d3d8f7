//! A study as a user runs it: planned, worked on, merged, whoever did the jobs.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{ok, run, transcript, vlpt};
use serde_json::Value;

/// Three small tasks, a text method and a visual one, every way of transfer.
const PLAN: [&str; 22] = [
    "study",
    "plan",
    "--task",
    "synthetic:shapes",
    "--task",
    "synthetic:stripes",
    "--task",
    "synthetic:textures",
    "--method",
    "coop,vpt",
    "--shots",
    "1",
    "--seeds",
    "0",
    "--set",
    "train.epochs=1",
    "--set",
    "coop:coop.context=2",
    "--set",
    "vpt:vpt.count=1",
    "--test-images",
    "8",
];

fn plan(root: &Path, study: &str, more: &[&str]) -> Value {
    let args = [&PLAN[..], &["--out", study, "--json"], more].concat();
    serde_json::from_str(&ok(root, &args)).unwrap()
}

fn worker(root: &Path, study: &str, shard: &str) -> Child {
    vlpt()
        .current_dir(root)
        .args([
            "study",
            "run",
            study,
            "--quiet",
            "--threads",
            "1",
            "--shard",
            shard,
        ])
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Every merged file with its bytes.
fn merged(root: &Path, study: &str) -> BTreeMap<String, Vec<u8>> {
    ok(root, &["study", "merge", study]);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(root.join(study).join("merged")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|e| e == "csv" || e == "parquet")
        {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, std::fs::read(path).unwrap());
        }
    }
    files
}

/// Rows of a merged table by the names of its columns.
fn rows(files: &BTreeMap<String, Vec<u8>>, name: &str) -> Vec<BTreeMap<String, String>> {
    let text = String::from_utf8(files[name].clone()).unwrap();
    let mut lines = text.lines();
    let head: Vec<String> = lines
        .next()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect();
    let row = |line: &str| {
        head.iter()
            .cloned()
            .zip(line.split(',').map(str::to_owned))
            .collect()
    };
    lines.map(row).collect()
}

#[test]
fn a_study_is_the_same_whoever_did_it_and_however_often_they_were_killed() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let adapted = ["--adapted", "--adapt-shots", "2"];
    let more = [&adapted[..], &["--co-training"]].concat();
    let planned = plan(root, "one", &more);
    plan(root, "two", &more);
    plan(root, "killed", &more);
    // Zero-shot 1; of each method: 3 sources, 3 singles with two shots, 9 adapted, 3 pairs.
    assert_eq!(planned["units"], 1 + 2 * (3 + 3 + 9 + 3));

    ok(root, &["study", "run", "one"]);
    let one = merged(root, "one");
    for name in ["scores", "matrix", "similarity", "correlation"] {
        for kind in ["csv", "parquet"] {
            assert!(
                one.contains_key(&format!("{name}.{kind}")),
                "{:?}",
                one.keys()
            );
        }
    }

    let mut shards = [worker(root, "two", "0/2"), worker(root, "two", "1/2")];
    for shard in &mut shards {
        assert!(shard.wait().unwrap().success());
    }
    assert!(merged(root, "two") == one, "two shards give other tables");

    let mut kills = 0;
    for pause in [300, 700, 500, 900, 1100] {
        let mut child = worker(root, "killed", "0/1");
        std::thread::sleep(Duration::from_millis(pause));
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills >= 2, "only {kills} workers were killed at work");
    assert!(worker(root, "killed", "0/1").wait().unwrap().success());
    assert!(merged(root, "killed") == one, "kills give other tables");

    every_cell_is_there(&one);
    page_and_groups(root);
}

fn every_cell_is_there(files: &BTreeMap<String, Vec<u8>>) {
    let cells = rows(files, "matrix.csv");
    let count = |transfer: &str| cells.iter().filter(|c| c["transfer"] == transfer).count();
    assert_eq!(
        (count("zero-shot"), count("adapted"), count("co-training")),
        (18, 18, 12)
    );
    for cell in &cells {
        for column in ["score", "single", "clip"] {
            assert!(cell[column].parse::<f64>().unwrap().is_finite(), "{cell:?}");
        }
        // Over nothing there is no relative gain.
        assert_eq!(cell["gain"].is_empty(), cell["single"] == "0", "{cell:?}");
        assert_eq!(
            cell["gain_over_clip"].is_empty(),
            cell["clip"] == "0",
            "{cell:?}"
        );
    }
    // A source on its own task is the single-task score.
    let own = cells
        .iter()
        .filter(|c| c["transfer"] == "zero-shot" && c["source"] == c["target"]);
    assert!(
        own.map(|c| &c["gain"])
            .all(|gain| gain == "0" || gain.is_empty())
    );
    let similarity = rows(files, "similarity.csv");
    let of = |measure: &str| {
        similarity
            .iter()
            .filter(|r| r["measure"] == measure)
            .count()
    };
    assert_eq!((of("visual-cosine"), of("label-overlap")), (9, 9));
    assert_eq!(
        (of("prompt-text"), of("prompt-image")),
        (9, 9),
        "coop has text, vpt image tokens"
    );
    // Of each transfer and method, with three visual, three label and two prompt similarities.
    assert_eq!(rows(files, "correlation.csv").len(), 3 * 2 * 8);
}

/// The report, groups, and joint jobs planned from them.
fn page_and_groups(root: &Path) {
    let page = std::fs::read_to_string(root.join("one/merged/report.html")).unwrap();
    assert!(page.contains("vlpt study plan") && page.contains("label-best-match"));
    let look = ok(root, &["study", "groups", "one", "--size", "2", "--json"]);
    let look: Value = serde_json::from_str(&look).unwrap();
    assert_eq!(look["greedy"].as_array().unwrap().len(), 2);
    let add = ["--add", "greedy", "--seeds", "0", "--write", "groups.txt"];
    ok(
        root,
        &[&["study", "groups", "one", "--size", "2"], &add[..]].concat(),
    );
    let status = |study: &str| -> Value {
        serde_json::from_str(&ok(root, &["study", "status", study, "--json"])).unwrap()
    };
    for kind in status("one")["kinds"].as_array().unwrap() {
        let seconds = |key: &str| kind[key].as_f64().unwrap();
        let training = seconds("seconds_of_training");
        let trained = kind["kind"] != "zero-shot" && kind["done"] != 0;
        assert_eq!(training > 0.0, trained, "{kind}");
        assert!(training <= seconds("seconds"), "{kind}");
    }
    assert_eq!(
        status("one")["all"]["missing"],
        2,
        "one joint job for each method"
    );
    ok(root, &["study", "run", "one", "--kinds", "joint"]);
    assert_eq!(status("one")["all"]["missing"], 0);
    let cells = rows(&merged(root, "one"), "matrix.csv");
    assert_eq!(cells.iter().filter(|c| c["transfer"] == "joint").count(), 4);
    plan(root, "grouped", &["--groups", "groups.txt"]);
}

#[test]
fn a_cell_of_zero_shot_transfer_is_what_eval_says() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    common::photos(root);
    for i in 0..10_u8 {
        let shade = 20 * i;
        common::write_png(
            &root.join(format!("photos/green/{i}.png")),
            [shade, 220, 30],
        );
        common::write_png(&root.join(format!("photos/grey/{i}.png")), [shade; 3]);
    }
    let tasks = [
        "--source",
        "synthetic:shapes",
        "--source",
        "synthetic:stripes",
        "--target",
        "photos",
    ];
    let how = [
        "--method",
        "coop,vpt",
        "--shots",
        "2",
        "--set",
        "train.epochs=4",
    ];
    let args = [&["study", "plan", "--out", "study"], &tasks[..], &how].concat();
    ok(root, &args);
    ok(root, &["study", "run", "study", "--kinds", "train"]);
    let plan = std::fs::read_to_string(root.join("study/plan.jsonl")).unwrap();
    let jobs = plan
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut seen = 0;
    for job in jobs.filter(|job| job["kind"] == "train") {
        let id = job["id"].as_str().unwrap();
        let result = std::fs::read(root.join(format!("study/results/{id}.json"))).unwrap();
        let result: Value = serde_json::from_slice(&result).unwrap();
        let run = format!("study/work/{id}/run");
        let eval = ok(
            root,
            &["eval", &run, "photos", "--bootstrap", "1", "--json"],
        );
        let eval: Value = serde_json::from_str(&eval).unwrap();
        assert_eq!(
            result["outcome"]["scores"]["photos"], eval["value"],
            "{}",
            job["method"]
        );
        seen += 1;
    }
    assert_eq!(seen, 4);
}

#[test]
fn a_failed_job_is_told_and_tried_again_when_its_cause_is_gone() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    common::photos(root);
    let args = [
        "study",
        "plan",
        "--task",
        "photos",
        "--target",
        "synthetic:shapes",
    ];
    let more = ["--shots", "1", "--set", "train.epochs=1", "--out", "study"];
    ok(root, &[&args[..], &more[..]].concat());
    let kept = std::fs::read(root.join("photos/red/0.png")).unwrap();
    common::write_png(&root.join("photos/red/0.png"), [9, 9, 9]);
    let failed = run(root, &["study", "run", "study"]);
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stderr).unwrap();
    assert!(
        said.contains("other images or classes than when the study was planned"),
        "{said}"
    );
    assert!(said.contains("--retry"), "{said}");
    let status = ok(root, &["study", "status", "study"]);
    assert!(status.contains("failed: "), "{status}");
    std::fs::write(root.join("photos/red/0.png"), kept).unwrap();
    assert_eq!(
        run(root, &["study", "run", "study"]).status.code(),
        Some(1),
        "not by itself"
    );
    ok(root, &["study", "run", "study", "--retry"]);
    assert!(merged(root, "study").contains_key("matrix.csv"));
}

#[test]
fn what_makes_no_study_is_refused_before_any_work() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let task = ["--task", "synthetic:shapes"];
    let cases: [(&str, &[&str]); 12] = [
        ("a study needs tasks", &[]),
        (
            "\"shapes\" twice",
            &["--task", "synthetic:shapes", "--task", "synthetic:shapes"],
        ),
        ("zebra", &["--task", "synthetic:zebra"]),
        (
            "methods that learn prompts",
            &[&task[..], &["--method", "linear-probe"]].concat(),
        ),
        (
            "a context for each class",
            &[&task[..], &["--set", "coop.class_specific=true"]].concat(),
        ),
        (
            "jobs do not decide",
            &[&task[..], &["--set", "seed=3"]].concat(),
        ),
        (
            "which --method does not name",
            &[&task[..], &["--set", "vpt:vpt.count=3"]].concat(),
        ),
        (
            "coop.contxt",
            &[&task[..], &["--set", "coop.contxt=3"]].concat(),
        ),
        (
            "there is no recipe",
            &[&task[..], &["--recipe", "quik"]].concat(),
        ),
        (
            "test images",
            &[&task[..], &["--test-images", "0"]].concat(),
        ),
        (
            "no such file",
            &[&task[..], &["--groups", "absent"]].concat(),
        ),
        (
            "--adapted with 2 numbers",
            &[&task[..], &["--shots", "1,2", "--adapted"]].concat(),
        ),
    ];
    for (expected, more) in cases {
        let said = transcript(root, &[&["study", "plan", "--out", "study"], more].concat());
        let lower = said.to_lowercase();
        assert!(
            lower.contains(&expected.to_lowercase()),
            "{expected}: {said}"
        );
        assert!(!said.contains("exit code: 0"), "{said}");
        assert!(!root.join("study").exists(), "{said}");
    }
    for verb in ["run", "status", "merge"] {
        let said = transcript(root, &["study", verb, "absent"]);
        assert!(
            said.contains("holds no study") && said.contains("vlpt study plan"),
            "{said}"
        );
    }
    ok(
        root,
        &[
            "study",
            "plan",
            "--task",
            "synthetic:shapes",
            "--out",
            "study",
        ],
    );
    let merge = transcript(root, &["study", "merge", "study"]);
    assert!(
        merge.contains("have no result") && merge.contains("--partial"),
        "{merge}"
    );
    let shard = transcript(root, &["study", "run", "study", "--shard", "4/4"]);
    assert!(shard.contains("exit code: 2"), "{shard}");
    let groups = transcript(root, &["study", "groups", "study", "--size", "2"]);
    assert!(groups.contains("run it first"), "{groups}");
}
