//! Workers in processes of their own, killed at random.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use common::{Toy, draw, merged_bytes, planned};
use vlpt_study::{RunLimits, run, status};

const DIR: &str = "VLPT_STUDY_TEST_DIR";
const SHARD: &str = "VLPT_STUDY_TEST_SHARD";

/// No test by itself: what the processes below run.
#[test]
fn worker_process() {
    let Ok(dir) = std::env::var(DIR) else {
        return;
    };
    let limits = RunLimits {
        threads: 2,
        shard: std::env::var(SHARD).unwrap().parse().unwrap(),
        ..RunLimits::default()
    };
    let toy = Toy {
        takes: Duration::from_millis(2),
    };
    let stop = AtomicBool::new(false);
    let report = run(Path::new(&dir), &toy, &limits, &stop, &mut |_| {}).unwrap();
    assert!(report.complete(), "{report:?}");
}

fn spawn(dir: &Path, shard: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "worker_process", "--nocapture"])
        .env(DIR, dir)
        .env(SHARD, shard)
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn undisturbed(tasks: usize) -> Vec<(String, Vec<u8>)> {
    let (dir, _) = planned(tasks);
    let toy = Toy {
        takes: Duration::ZERO,
    };
    let stop = AtomicBool::new(false);
    run(dir.path(), &toy, &RunLimits::default(), &stop, &mut |_| {}).unwrap();
    merged_bytes(dir.path())
}

#[test]
fn two_shards_in_two_processes_give_the_same_matrices() {
    let (dir, plan) = planned(5);
    let children = [spawn(dir.path(), "0/2"), spawn(dir.path(), "1/2")];
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(merged_bytes(dir.path()), undisturbed(5));
    let jobs = plan.jobs().len();
    assert_eq!(finished(dir.path()), jobs, "each job was done once");
}

#[test]
fn workers_killed_at_random_leave_nothing_behind_but_what_is_done() {
    let (dir, plan) = planned(5);
    let all = plan.jobs().len();
    let done = || status(dir.path()).unwrap().counts().done;
    let mut kills = 0;
    for round in 0..40 {
        let mut children: Vec<Child> = (0..3).map(|_| spawn(dir.path(), "0/1")).collect();
        // Killed after a few more jobs, and a time that is drawn.
        let target = (done() + 4).min(all);
        while done() < target && children[0].try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_secs_f64(
            0.008 * draw(&format!("round {round}")),
        ));
        for child in &mut children {
            kills += usize::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let counts = status(dir.path()).unwrap().counts();
        assert_eq!(counts.running, 0, "a claim dies with its worker");
        assert_eq!(counts.failed, 0, "a kill is no failure");
        if counts.done > all / 2 {
            break;
        }
    }
    assert!(kills >= 6, "only {kills} workers were killed at work");
    assert!(done() < all, "something was left to go on with");
    let mut last: Vec<Child> = (0..2).map(|_| spawn(dir.path(), "0/1")).collect();
    for child in &mut last {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(done(), all);
    assert_eq!(merged_bytes(dir.path()), undisturbed(5));
}

/// Jobs finished, by the logs of all workers.
fn finished(dir: &Path) -> usize {
    let logs = fs_err::read_dir(dir.join("log")).unwrap();
    logs.map(|log| {
        let text = fs_err::read_to_string(log.unwrap().path()).unwrap();
        text.matches("\"finished\"").count()
    })
    .sum()
}
