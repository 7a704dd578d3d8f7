//! A study on a real Slurm of one machine. Skipped loudly where none can be started.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "slurm/cluster.rs"]
mod cluster;
mod common;

use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cluster::{Slurm, wait};
use common::{Toy, merged_bytes, planned};
use vlpt_study::launch::slurm::{SlurmOptions, submit};
use vlpt_study::{JobState, Kind, RunLimits, run, status};

/// No test by itself: what Slurm's jobs run.
#[test]
fn slurm_worker() {
    let Ok(dir) = std::env::var("VLPT_STUDY_TEST_DIR") else {
        return;
    };
    let arguments = std::env::var("VLPT_STUDY_TEST_ARGUMENTS").unwrap();
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let after = |flag: &str| {
        let place = words.iter().position(|&word| word == flag).unwrap();
        words[place + 1]
    };
    let named = |name: &str| *Kind::ALL.iter().find(|kind| kind.name() == name).unwrap();
    let limits = RunLimits {
        shard: after("--shard").parse().unwrap(),
        kinds: after("--kinds").split(',').map(named).collect(),
        threads: after("--threads").parse().unwrap(),
        ..RunLimits::default()
    };
    let toy = Toy {
        takes: Duration::from_millis(60),
    };
    let stop = AtomicBool::new(false);
    let report = run(Path::new(&dir), &toy, &limits, &stop, &mut |_| {}).unwrap();
    assert!(report.complete(), "{report:?}");
}

/// No test by itself: what submits, in a process of its own that has Slurm's environment.
#[test]
fn slurm_submitter() {
    let Ok(dir) = std::env::var("VLPT_STUDY_TEST_SUBMIT") else {
        return;
    };
    let worker = std::env::var("VLPT_STUDY_TEST_WORKER").unwrap();
    let options = SlurmOptions {
        command: vec!["sh".into(), worker],
        shards: 2,
        threads: 1,
        ..SlurmOptions::default()
    };
    let jobs = submit(Path::new(&dir), &options).unwrap();
    let jobs: Vec<_> = jobs.into_iter().map(|job| job.job).collect();
    fs_err::write(Path::new(&dir).join("jobs"), jobs.join(" ")).unwrap();
}

/// Numbers of the submitted jobs.
fn submit_on(slurm: &Slurm, dir: &Path, worker: &Path) -> Vec<String> {
    let submitted = slurm
        .command(std::env::current_exe().unwrap())
        .args(["--exact", "slurm_submitter", "--nocapture"])
        .env("VLPT_STUDY_TEST_SUBMIT", dir)
        .env("VLPT_STUDY_TEST_WORKER", worker)
        .stdout(Stdio::null())
        .status();
    assert!(submitted.unwrap().success());
    let jobs = fs_err::read_to_string(dir.join("jobs")).unwrap();
    jobs.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn a_plan_runs_as_two_arrays_and_survives_a_requeue() {
    let Some(slurm) = Slurm::start("a_plan_runs_as_two_arrays_and_survives_a_requeue", 16817)
    else {
        return;
    };
    let (outer, plan) = planned(4);
    // A folder whose name the batch script has to quote.
    let dir = outer.path().join("a study, 100%");
    plan.write(&dir).unwrap();
    let worker = outer.path().join("worker.sh");
    let text = format!(
        "#!/bin/sh\nexport VLPT_STUDY_TEST_DIR=\"$1\"\nshift\n\
         export VLPT_STUDY_TEST_ARGUMENTS=\"$*\"\n\
         exec '{}' --exact slurm_worker --nocapture\n",
        std::env::current_exe().unwrap().display()
    );
    fs_err::write(&worker, text).unwrap();
    let jobs = submit_on(&slurm, &dir, &worker);
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    let adapted = slurm.ask("scontrol", &["show", "job", &jobs[1]]);
    let dependency = format!("Dependency=afterany:{}", jobs[0]);
    assert!(adapted.contains(&dependency), "{adapted}");

    let done = |kind: Option<Kind>| {
        let found = status(&dir).unwrap();
        let jobs = found.jobs.iter();
        let jobs = jobs.filter(|u| kind.is_none_or(|kind| u.kind == kind));
        jobs.filter(|u| u.state == JobState::Done).count()
    };
    wait("the first jobs", || done(None) >= 3);
    assert_eq!(done(Some(Kind::Adapt)), 0, "sources come first");
    let first = format!("{}_0", jobs[0]);
    slurm.ask("scontrol", &["requeue", &first]);
    wait("all jobs", || done(None) == plan.jobs().len());
    let log = dir.join("log").join(format!("slurm-{first}.out"));
    let text = fs_err::read_to_string(log).unwrap();
    assert_eq!(
        text.matches("running 1 test").count(),
        2,
        "begun twice: {text}"
    );

    let (still, _) = planned(4);
    let toy = Toy {
        takes: Duration::ZERO,
    };
    let stop = AtomicBool::new(false);
    run(
        still.path(),
        &toy,
        &RunLimits::default(),
        &stop,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(merged_bytes(&dir), merged_bytes(still.path()));
    assert!(
        submit_on(&slurm, &dir, &worker).is_empty(),
        "nothing is left"
    );
}
