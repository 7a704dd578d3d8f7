//! Disks that are full, and folders that may not be written.
//!
//! A limit on the size of a file (`ulimit -f`, with the signal ignored so that the write fails) stands
//! in for a full disk: it needs no right to mount one. `bad_input.rs` fills a real one where it may.

use std::time::Duration;

use crate::Size;
use crate::child::{program, under, watch};
use crate::common::photos;
use crate::kills::{contents, left_alone, resuming, training};
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(2);

/// A training under each limit; then the limit is gone and the run goes on to the same bytes.
pub(crate) fn sizes(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    if !cfg!(unix) {
        outcome.notes.push("limits are Unix's".to_owned());
        return outcome;
    }
    let (root, _) = left_alone();
    let expected = contents(&root.path().join("whole"));
    let largest = expected.values().map(Vec::len).max().unwrap_or(0) / 512 + 2;
    let count = if size.full { 18 } else { 5 };
    let mut failed = 0;
    for step in 0..count {
        // in blocks of 512 bytes
        let blocks = step * largest / (count - 1);
        let what = format!("files of up to {blocks} blocks");
        let mut limited = program(root.path());
        limited.args(training("run"));
        let limits = format!("trap '' XFSZ; ulimit -f {blocks}");
        let child = watch::<&str>(under(&limits, &limited), &[], LONGEST);
        outcome.child(&what, &child);
        failed += usize::from(!child.ok());
        let out = root.path().join("run");
        let words = if out.join("config.toml").exists() {
            resuming("run")
        } else {
            training("run")
        };
        let resumed = watch(program(root.path()), &words, LONGEST);
        if !resumed.ok() || contents(&out) != expected {
            let said = resumed.said();
            outcome.broke(Broken::Lost, format!("{what}, then none: {said}"));
        }
        let _ = std::fs::remove_dir_all(&out);
    }
    outcome.notes.push(format!("{failed} ended with an error"));
    outcome
}

/// Outputs into folders that may not be written: an error that names the place, and nothing changed.
pub(crate) fn permissions(_: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let root = tempfile::tempdir().unwrap();
    photos(root.path());
    let closed = root.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::write(closed.join("kept"), b"kept").unwrap();
    std::fs::write(root.path().join("file"), b"kept").unwrap();
    let mut rights = std::fs::metadata(&closed).unwrap().permissions();
    rights.set_readonly(true);
    std::fs::set_permissions(&closed, rights).unwrap();
    let root_user = std::fs::write(closed.join("probe"), b"").is_ok();
    let mut places = vec!["file/x", "absent/x/y", "/proc/self/x"];
    if root_user {
        let _ = std::fs::remove_file(closed.join("probe"));
        let why = "a closed folder was not tried: this user may write everywhere";
        outcome.notes.push(why.to_owned());
    } else {
        places.push("closed/x");
    }
    for place in places {
        let commands: [&[&str]; 4] = [
            &["embed", "photos", "--out", place],
            &["train", "photos", "--epochs", "1", "--out", place],
            &["preprocess", "photos/red/0.png", "-o", place],
            &["zeroshot", "photos", "--cache", place],
        ];
        for words in commands {
            let what = words.join(" ");
            let child = watch(program(root.path()), words, LONGEST);
            outcome.child(&what, &child);
            if place.starts_with("file") && child.ok() && words[0] != "zeroshot" {
                outcome.broke(Broken::WrongAccept, format!("{what}: no error"));
            }
        }
    }
    let kept = |name: &str| std::fs::read(root.path().join(name)).unwrap_or_default() == b"kept";
    if !kept("file") || !kept("closed/kept") {
        outcome.broke(Broken::Lost, "a file that was there");
    }
    outcome
}
