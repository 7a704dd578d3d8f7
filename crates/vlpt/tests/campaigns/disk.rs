//! Disks that are full, and folders that may not be written.
//!
//! Real small disks (tmpfs in a mount namespace of its own) where the system lets a user mount them.
//! A limit on the size of a file (`ulimit -f`, with the signal ignored so that the write fails) needs no
//! such right, and fails at other writes.

use std::time::Duration;

use crate::Size;
use crate::child::{End, program, under, watch};
use crate::common::photos;
use crate::kills::{contents, left_alone, resuming, training};
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(2);

/// A training on a disk of its own, whose size is `$SIZE` KiB; then there is space and the run goes on.
/// The run folder is copied to `out`; the first exit code goes to `code`.
const ON_SMALL_DISK: &str = "\
    mkdir -p disk; mount -t tmpfs -o size=${SIZE}k none disk || exit 77; \
    \"$0\" \"$@\"; code=$?; echo $code > code; \
    mount -o remount,size=1g none disk || exit 77; \
    if [ -e disk/run/config.toml ]; then \"$0\" --quiet train --resume disk/run; \
    else \"$0\" \"$@\"; fi || exit 9; \
    cp -r disk/run out; [ $code -le 3 ] || exit $code";

/// What stands where the system does not let a test mount a disk.
const NOT_ALLOWED: &str = "no small disk could be mounted: this system does not let a user";

/// A training on disks of several sizes, from next to nothing to more than it writes.
pub(crate) fn full(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let (root, _) = left_alone();
    let expected = contents(&root.path().join("whole"));
    let all: usize = expected
        .values()
        .map(|bytes| bytes.len().next_multiple_of(4096))
        .sum();
    // beside the files their replacements, and pages for folders
    let largest = (2 * all).div_ceil(1024) + 64;
    let count = if size.full { 18 } else { 4 };
    let mut failed = 0;
    for step in 0..count {
        // 0 would be no limit
        let kib = (step * largest / (count - 1)).max(4);
        let what = format!("a disk of {kib} KiB");
        let mut command = program(root.path());
        command.args(training("disk/run"));
        let mut script = std::process::Command::new("unshare");
        script
            .args([
                "--user",
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                ON_SMALL_DISK,
            ])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(root.path())
            .env("SIZE", kib.to_string())
            .stdin(std::process::Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => script.env(name, value),
                None => script.env_remove(name),
            };
        }
        if std::process::Command::new("unshare")
            .arg("--version")
            .output()
            .is_err()
        {
            outcome.skipped(NOT_ALLOWED);
            return outcome;
        }
        let child = watch::<&str>(script, &[], LONGEST);
        if child.end == End::Code(77) || child.stderr.contains("unshare:") {
            outcome.skipped(NOT_ALLOWED);
            return outcome;
        }
        outcome.child(&what, &child);
        let code = std::fs::read_to_string(root.path().join("code")).unwrap_or_default();
        if code.trim() != "0" {
            failed += 1;
            if !child.stderr.contains("disk/run") || !child.stderr.contains("No space left") {
                let said = child.said();
                outcome.broke(
                    Broken::Lost,
                    format!("{what}: not told what is full: {said}"),
                );
            }
        }
        if contents(&root.path().join("out")) != expected {
            let said = child.said();
            outcome.broke(Broken::Lost, format!("{what}, then a large one: {said}"));
        }
        let _ = std::fs::remove_dir_all(root.path().join("out"));
    }
    outcome.notes.push(format!("{failed} disks were full"));
    if failed == 0 {
        outcome.broke(Broken::WrongAccept, "no disk was full: nothing was tried");
    }
    outcome
}

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
