//! Few open files, little address space, senseless numbers of threads.

use std::path::Path;
use std::time::Duration;

use crate::Size;
use crate::child::{End, Ended, program, under, watch};
use crate::common::photos;
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(2);

/// Commands that together touch every part: data, text, images, training.
const COMMANDS: [&[&str]; 5] = [
    &["tokenize", "a photo of a dog"],
    &["data", "check", "photos"],
    &["zeroshot", "photos", "--no-cache"],
    &["preprocess", "photos/red/0.png", "-o", "x.npy"],
    &["embed", "photos", "--out", "features.npy"],
];

fn folder() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    photos(root.path());
    root
}

/// Every command under these limits, how it ended, and what it was.
fn each(root: &Path, limits: &str) -> Vec<(String, Ended)> {
    let ended = COMMANDS.map(|words| {
        let mut command = program(root);
        command.args(words);
        let child = watch::<&str>(under(limits, &command), &[], LONGEST);
        (format!("{limits}: {}", words.join(" ")), child)
    });
    ended.into()
}

/// 8 and 64 open files, and a few numbers in between.
pub(crate) fn files(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    if !cfg!(unix) {
        outcome.notes.push("limits are Unix's".to_owned());
        return outcome;
    }
    let root = folder();
    let steps: &[u32] = if size.full {
        &[4, 5, 6, 8, 10, 12, 16, 24, 32, 64]
    } else {
        &[8, 64]
    };
    for count in steps {
        let mut done = 0;
        for (what, child) in each(root.path(), &format!("ulimit -n {count}")) {
            outcome.child(&what, &child);
            done += usize::from(child.ok());
        }
        if *count >= 64 && done < COMMANDS.len() {
            let what = format!("{count} open files: {done} of {} commands", COMMANDS.len());
            outcome.broke(Broken::Lost, what);
        }
    }
    outcome
}

/// Least address space, in MiB, with which everything small goes through. With less the program says so
/// and ends, before it does anything: an allocation of a few bytes that fails is no error that can be told.
const LEAST_MIB: u64 = 256;

/// From 64 MiB up (the program's own file takes 50): an error is said, nothing aborts; from `LEAST_MIB` up all goes through.
pub(crate) fn address_space(size: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    if !cfg!(target_os = "linux") {
        outcome
            .notes
            .push("limits on address space are Linux's".to_owned());
        return outcome;
    }
    let root = folder();
    let steps: Vec<u64> = if size.full {
        (64..400)
            .step_by(8)
            .chain((400..=1600).step_by(100))
            .collect()
    } else {
        vec![64, 100, 200, LEAST_MIB, 800]
    };
    let (mut enough, mut refused, mut unloaded) = (None, 0, 0);
    for mib in steps {
        let mut done = 0;
        for (what, child) in each(root.path(), &format!("ulimit -v {}", mib * 1024)) {
            done += usize::from(child.ok());
            if mib < LEAST_MIB && not_loaded(&child) {
                outcome.tried += 1;
                unloaded += 1;
                continue;
            }
            outcome.child(&what, &child);
            if mib < LEAST_MIB {
                refused += 1;
                if child.end != End::Code(2) || !child.stderr.contains("ulimit -v") {
                    let said = child.said();
                    outcome.broke(Broken::Memory, format!("{what}: not told: {said}"));
                }
            }
        }
        if done == COMMANDS.len() && enough.is_none() {
            enough = Some(mib);
        }
        if done < COMMANDS.len() && mib >= LEAST_MIB {
            let what = format!("{mib} MiB: {done} of {} commands", COMMANDS.len());
            outcome.broke(Broken::Memory, what);
        }
    }
    with_threads(&mut outcome, root.path());
    outcome.notes.push(format!(
        "below {LEAST_MIB} MiB {refused} refused before any work, {unloaded} not even loaded by the system"
    ));
    outcome.notes.push(match enough {
        Some(mib) => format!("all commands go through with {mib} MiB"),
        None => "no limit tried lets all commands through".to_owned(),
    });
    outcome
}

/// Whether the system's loader had no room for the program itself, and said so.
fn not_loaded(child: &Ended) -> bool {
    child.end == End::Code(127) && child.stderr.contains("error while loading")
}

/// With more threads more is needed, and what is said to be enough is.
fn with_threads(outcome: &mut Outcome, root: &Path) {
    for threads in ["2", "8"] {
        let run = |mib: u64, words: &[&str]| {
            let mut command = program(root);
            command.env("VLPT_THREADS", threads).args(words);
            let limited = under(&format!("ulimit -v {}", mib * 1024), &command);
            watch::<&str>(limited, &[], LONGEST)
        };
        let refusal = run(LEAST_MIB, COMMANDS[0]);
        outcome.child("more threads than address space", &refusal);
        let mut hint = refusal.stderr.split("ulimit -v ").skip(1);
        let words = hint.next().unwrap_or_default();
        let kib: String = words.chars().take_while(char::is_ascii_digit).collect();
        let Ok(enough) = kib.parse::<u64>() else {
            let said = refusal.said();
            outcome.broke(
                Broken::Memory,
                format!("{threads} threads: not told: {said}"),
            );
            continue;
        };
        for words in COMMANDS {
            let child = run(enough / 1024, words);
            let what = format!("{} KiB and {threads} threads: {}", enough, words.join(" "));
            outcome.child(&what, &child);
            if !child.ok() {
                outcome.broke(Broken::Memory, format!("{what}: {}", child.said()));
            }
        }
    }
}

/// Numbers of threads that no machine has: bounded or refused, at once.
pub(crate) fn threads(_: &Size) -> Outcome {
    let mut outcome = Outcome::default();
    let root = folder();
    for count in ["0", "1", "100000", "18446744073709551615", "-1", "x"] {
        for words in [
            &["tokenize", "a dog"][..],
            &["zeroshot", "photos", "--no-cache"],
        ] {
            let mut command = program(root.path());
            command.env("VLPT_THREADS", count);
            let what = format!("{count} threads: {}", words.join(" "));
            let child = watch(command, words, Duration::from_secs(20));
            outcome.child(&what, &child);
            if matches!(count, "-1" | "x") && child.end == End::Code(0) {
                outcome.broke(Broken::WrongAccept, what);
            }
        }
    }
    outcome
}
