//! Few open files, little address space, senseless numbers of threads.

use std::path::Path;
use std::time::Duration;

use crate::Size;
use crate::child::{End, Ended, program, under, watch};
use crate::common::photos;
use crate::outcome::{Broken, Outcome};

const LONGEST: Duration = Duration::from_mins(2);

/// How the standard library ends a process that cannot have a few bytes, and what it says.
const SIGABRT: i32 = 6;
const NO_MEMORY: &str = "memory allocation of";

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

/// Least address space, in MB, with which everything small goes through. Below it the standard library
/// may end the process itself: an allocation of a few bytes that fails is no error that can be told.
const LEAST_MB: u64 = 256;

/// From 50 MB up: an error is said, nothing aborts; from `LEAST_MB` up all goes through.
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
        (50..400)
            .step_by(10)
            .chain((400..=1600).step_by(100))
            .collect()
    } else {
        vec![50, 100, 200, LEAST_MB, 800]
    };
    let (mut enough, mut aborts) = (None, 0);
    for mb in steps {
        let limits = format!("ulimit -v {}", mb * 1000);
        let mut done = 0;
        for (what, child) in each(root.path(), &limits) {
            done += usize::from(child.ok());
            let aborted = child.end == End::Signal(SIGABRT) && child.stderr.contains(NO_MEMORY);
            if aborted && mb < LEAST_MB {
                outcome.tried += 1;
                aborts += 1;
            } else {
                outcome.child(&what, &child);
            }
        }
        if done == COMMANDS.len() && enough.is_none() {
            enough = Some(mb);
        }
        if done < COMMANDS.len() && mb >= LEAST_MB {
            let what = format!("{mb} MB: {done} of {} commands", COMMANDS.len());
            outcome.broke(Broken::Memory, what);
        }
    }
    outcome.notes.push(format!(
        "{aborts} ended by the standard library below {LEAST_MB} MB"
    ));
    outcome.notes.push(match enough {
        Some(mb) => format!("all commands go through with {mb} MB"),
        None => "no limit tried lets all commands through".to_owned(),
    });
    outcome
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
