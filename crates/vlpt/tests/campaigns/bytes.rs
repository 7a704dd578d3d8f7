//! Every door of the program (`vlpt-fuzz`) in this process: files cut at every length, and mutants.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use vlpt_data::image::{Limits, decode};
use vlpt_fuzz::{TARGETS, Target, mutants, target};

use crate::Size;
use crate::outcome::{Broken, Outcome};

/// Longest time for one input.
const LONGEST: Duration = Duration::from_secs(20);

/// Kinds of files that are whole or refused: nothing of them may be taken when they are cut.
const WHOLE_OR_NOTHING: [&str; 2] = ["safetensors", "parquet"];

/// Runs one input through a target; says whether it came back.
fn through(outcome: &mut Outcome, target: &Target, what: &str, input: &[u8]) {
    outcome.tried += 1;
    let start = Instant::now();
    if catch_unwind(AssertUnwindSafe(|| (target.run)(input))).is_err() {
        outcome.broke(Broken::Panic, format!("{}: {what}", target.name));
    }
    if start.elapsed() > LONGEST {
        outcome.broke(Broken::Hang, format!("{}: {what}", target.name));
    }
}

/// Without a word of Rust's on the panics that are counted.
fn quietly(work: impl FnOnce(&mut Outcome)) -> Outcome {
    let mut outcome = Outcome::default();
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    work(&mut outcome);
    std::panic::set_hook(hook);
    outcome
}

/// The seeds of every target, cut at every length (at 60 lengths where this is a small run).
pub(crate) fn truncated(size: &Size) -> Outcome {
    quietly(|outcome| {
        for target in TARGETS {
            for (number, seed) in (target.seeds)().iter().enumerate() {
                let step = if size.full {
                    1
                } else {
                    seed.len().div_ceil(60).max(1)
                };
                for length in (0..seed.len()).step_by(step) {
                    let what = format!("seed {number} cut after {length} bytes");
                    through(outcome, target, &what, &seed[..length]);
                }
            }
        }
        images_cut(outcome);
        for name in WHOLE_OR_NOTHING {
            accepted(outcome, name);
        }
    })
}

/// A picture that is cut at any length is refused, or has all its pixels.
fn images_cut(outcome: &mut Outcome) {
    let limits = Limits::default();
    for (number, seed) in (target("image").seeds)().iter().enumerate() {
        let whole = decode(seed, "whole", &limits).expect("a seed is whole");
        for length in 0..seed.len() {
            outcome.tried += 1;
            if let Ok(image) = decode(&seed[..length], "cut", &limits)
                && image.data != whole.data
            {
                let what = format!("image {number} cut after {length} of {} bytes", seed.len());
                outcome.broke(Broken::WrongAccept, what);
            }
        }
    }
}

/// No cut file of this kind is opened.
fn accepted(outcome: &mut Outcome, name: &str) {
    for (number, seed) in (target(name).seeds)().iter().enumerate() {
        for length in (0..seed.len()).step_by(seed.len().div_ceil(200).max(1)) {
            outcome.tried += 1;
            let folder = tempfile::tempdir().unwrap();
            let opens = if name == "parquet" {
                std::fs::write(folder.path().join("train.parquet"), &seed[..length]).unwrap();
                std::fs::write(folder.path().join("test.parquet"), seed).unwrap();
                vlpt_data::open(folder.path(), &vlpt_data::OpenOptions::default()).is_ok()
            } else {
                let path = folder.path().join("x.safetensors");
                vlpt_adapter::TensorFile::from_bytes(&seed[..length], &path).is_ok()
            };
            if opens {
                let what = format!("{name} {number} cut after {length} of {} bytes", seed.len());
                outcome.broke(Broken::WrongAccept, what);
            }
        }
    }
}

/// Mutants of every target; `crates/vlpt-fuzz` tries more of them, and libFuzzer looks for its own.
pub(crate) fn mutants_of_all(size: &Size) -> Outcome {
    quietly(|outcome| {
        for target in TARGETS {
            let count = if size.full { 20_000 } else { 40 };
            for (number, input) in mutants(&(target.seeds)(), count).enumerate() {
                through(outcome, target, &format!("mutant {number}"), &input);
            }
        }
    })
}
