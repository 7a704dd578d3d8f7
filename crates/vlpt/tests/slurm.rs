//! `vlpt study launch` on a real Slurm of one machine. Skipped loudly where none can be started.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../../vlpt-study/tests/slurm/cluster.rs"]
mod cluster;
mod common;

use std::collections::BTreeMap;
use std::path::Path;

use cluster::{Slurm, wait};
use common::ok;
use serde_json::Value;

/// Trainings of some seconds, so that jobs can be caught at work.
const PLAN: [&str; 18] = [
    "study",
    "plan",
    "--task",
    "synthetic:shapes",
    "--task",
    "synthetic:stripes",
    "--method",
    "coop",
    "--shots",
    "16",
    "--seeds",
    "0",
    "--adapted",
    "--adapt-shots",
    "1",
    "--set",
    "train.epochs=60",
    "--quiet",
];

/// A folder whose name a batch script has to quote.
const STUDY: &str = "a study, 100%";

/// Every merged table with its bytes.
fn merged(root: &Path, study: &str) -> BTreeMap<String, Vec<u8>> {
    ok(root, &["study", "merge", study]);
    let entries = fs_err::read_dir(root.join(study).join("merged")).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let tables = files.filter(|path| {
        path.extension()
            .is_some_and(|e| e == "csv" || e == "parquet")
    });
    tables
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs_err::read(path).unwrap())
        })
        .collect()
}

fn status(root: &Path) -> Value {
    let text = ok(root, &["study", "status", STUDY, "--json"]);
    serde_json::from_str(&text).unwrap()
}

/// Submits by the verb; stage and job of each array.
fn launch(slurm: &Slurm, root: &Path) -> Vec<(String, String)> {
    let output = common::vlpt()
        .current_dir(root)
        .env("SLURM_CONF", slurm.conf())
        .args(["study", "launch", STUDY, "--on", "slurm", "--shards", "2"])
        .args(["--threads", "1", "--json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let jobs: Value = serde_json::from_slice(&output.stdout).unwrap();
    let jobs = jobs.as_array().unwrap().iter();
    let text = |job: &Value, key: &str| job[key].as_str().unwrap().to_owned();
    jobs.map(|job| (text(job, "stage"), text(job, "job")))
        .collect()
}

#[test]
fn a_launched_study_ends_as_one_without_slurm_through_a_requeue_and_a_cancel() {
    let name = "a_launched_study_ends_as_one_without_slurm_through_a_requeue_and_a_cancel";
    let Some(slurm) = Slurm::start(name, 16827) else {
        return;
    };
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    for study in [STUDY, "still"] {
        ok(root, &[&PLAN[..], &["--out", study]].concat());
    }
    let jobs = launch(&slurm, root);
    let stages: Vec<&str> = jobs.iter().map(|(stage, _)| stage.as_str()).collect();
    assert_eq!(stages, ["sources", "adapted"]);
    let (sources, adapted) = (&jobs[0].1, &jobs[1].1);
    let shown = slurm.ask("scontrol", &["show", "job", adapted]);
    assert!(
        shown.contains(&format!("Dependency=afterany:{sources}")),
        "{shown}"
    );
    assert!(shown.contains("Requeue=1"), "{shown}");

    // A job that is caught at work goes back into the queue, and begins again.
    let first = format!("{sources}_0");
    let log = root.join(STUDY).join(format!("log/slurm-{first}.out"));
    let begun = || {
        let text = fs_err::read_to_string(&log).unwrap_or_default();
        text.matches("part 0/2 of the jobs").count()
    };
    wait("a job at work", || {
        status(root)["all"]["running"].as_u64() > Some(0) && begun() == 1
    });
    slurm.ask("scontrol", &["requeue", &first]);
    wait("the job to begin again", || begun() == 2);
    // One that is cancelled does not; others do what it had to do, or the next launch does.
    slurm.ask("scancel", &[&first]);
    let idle = || slurm.ask("squeue", &["--noheader"]).trim().is_empty();
    wait("an empty queue", idle);
    let left = status(root);
    assert_eq!(
        left["all"]["running"], 0,
        "a claim dies with its job: {left}"
    );
    assert_eq!(
        left["all"]["failed"], 0,
        "a cancelled job is no failure: {left}"
    );
    launch(&slurm, root);
    wait("an empty queue again", idle);
    let all = &status(root)["all"];
    assert_eq!(all["missing"], 0, "{all}");

    ok(root, &["study", "run", "still", "--quiet"]);
    assert!(
        merged(root, STUDY) == merged(root, "still"),
        "Slurm's workers give other tables"
    );
    assert!(launch(&slurm, root).is_empty(), "nothing is left to submit");
}
