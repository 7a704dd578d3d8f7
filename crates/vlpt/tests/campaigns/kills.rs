//! Runs killed at random moments and resumed: the result has the bytes of a run left alone.
//!
//! Small, ten runs of the quickest kind; `kill_and_resume.rs` kills some seventy of four kinds on
//! every change. At full size a thousand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::Size;
use crate::child::{program, watch};
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(2);

/// The words of a small run into `out`, with a checkpoint after every step.
pub(crate) fn training(out: &str) -> Vec<String> {
    [
        "--quiet",
        "train",
        "synthetic:shapes",
        "--shots",
        "2",
        "--epochs",
        "6",
        "--set",
        "compute.checkpoint_seconds=0",
        "--out",
        out,
    ]
    .map(str::to_owned)
    .into()
}

/// The words that go on with the run in `out`.
pub(crate) fn resuming(out: &str) -> Vec<String> {
    ["--quiet", "train", "--resume", out]
        .map(str::to_owned)
        .into()
}

/// Every file below a folder.
pub(crate) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else {
            continue;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_path_buf();
                files.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// A folder with a run left alone in `whole`, and how long it took once features were there.
pub(crate) fn left_alone() -> (tempfile::TempDir, Duration) {
    let root = tempfile::tempdir().unwrap();
    let mut took = LONGEST;
    for out in ["first", "whole"] {
        let run = watch(program(root.path()), &training(out), LONGEST);
        assert!(run.ok(), "a run left alone: {}", run.said());
        took = run.took;
    }
    (root, took)
}

pub(crate) fn run(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let (root, mut span) = left_alone();
    let expected = contents(&root.path().join("whole"));
    let seed = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let mut state = seed.as_nanos() as u64 | 1;
    let mut before = |span: Duration| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Duration::from_micros(state % (span.as_micros() as u64).max(1))
    };
    let (kills, mut hit) = (if size.full { 1000 } else { 10 }, 0);
    for _ in 0..kills {
        let out = root.path().join("run");
        let delay = before(span);
        let start = Instant::now();
        let mut child = program(root.path())
            .args(training("run"))
            .stderr(std::process::Stdio::null())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(delay);
        if child.try_wait().unwrap().is_none() {
            hit += 1;
        } else {
            span = span.min(start.elapsed());
        }
        let _ = child.kill();
        child.wait().unwrap();
        let words = if out.join("config.toml").exists() {
            resuming("run")
        } else {
            training("run")
        };
        let resumed = watch(program(root.path()), &words, LONGEST);
        let what = format!("killed after {delay:?}");
        outcome.child(&what, &resumed);
        if !resumed.ok() {
            outcome.broke(Broken::Lost, format!("{what}: {}", resumed.said()));
        } else if contents(&out) != expected {
            outcome.broke(Broken::Lost, format!("{what}: other bytes"));
        }
        let _ = std::fs::remove_dir_all(&out);
    }
    outcome
        .notes
        .push(format!("{hit} kills before the end of a run"));
    outcome
}
