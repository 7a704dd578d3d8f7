//! What the fuzzers run, without them: seeds, cut at every length, mutants of a fixed sequence, and
//! the inputs kept in `fuzz/corpus` and `fuzz/regressions`.
//!
//! `VLPT_MUTANTS=N` asks for another number of mutants of every target, `VLPT_FUZZ_SECONDS=S` for as many
//! as can be tried in S seconds each, `VLPT_TARGET=NAME` for one target.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use vlpt_fuzz::{TARGETS, Target, mutants};

/// Mutants of each target.
const MUTANTS: usize = 200;
/// Longest seed that is cut at every length; longer ones are cut at as many.
const CUTS: usize = 400;
/// Longest time for one input, for a busy machine; libFuzzer gives ten seconds.
const LONGEST: Duration = Duration::from_mins(1);

fn targets() -> Vec<&'static Target> {
    let wanted = std::env::var("VLPT_TARGET").ok();
    TARGETS
        .iter()
        .filter(|target| wanted.as_ref().is_none_or(|name| name == target.name))
        .collect()
}

/// Runs one input, and says which one it was where that fails. Returns whether it was accepted.
fn run(target: &Target, what: &str, input: &[u8]) -> bool {
    let start = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| (target.run)(input)));
    let name = target.name;
    let took = start.elapsed();
    match result {
        Ok(accepted) if took < LONGEST => accepted,
        _ => {
            let kept = std::env::temp_dir().join(format!("vlpt-fuzz-{name}"));
            std::fs::write(&kept, input).unwrap();
            panic!(
                "{name}: {what} failed after {took:?}; the input is {}",
                kept.display()
            );
        }
    }
}

#[test]
fn seeds_are_the_same_each_time_and_pass() {
    for target in targets() {
        let seeds = (target.seeds)();
        assert!(!seeds.is_empty(), "{}", target.name);
        assert!(seeds == (target.seeds)(), "{}: seeds differ", target.name);
        let accepted: Vec<bool> = seeds
            .iter()
            .enumerate()
            .map(|(number, seed)| run(target, &format!("seed {number}"), seed))
            .collect();
        eprintln!("{}: {accepted:?}", target.name);
        // no model is small enough to be mutated whole: its weights are told to be missing
        let some = accepted.contains(&true) || target.name == "model_folder";
        assert!(some, "{}: no seed is accepted", target.name);
    }
}

#[test]
fn a_seed_cut_anywhere_passes() {
    for target in targets() {
        for (number, seed) in (target.seeds)().iter().enumerate() {
            let step = seed.len().div_ceil(CUTS).max(1);
            for length in (0..seed.len()).step_by(step) {
                let what = format!("seed {number} cut after {length} bytes");
                run(target, &what, &seed[..length]);
            }
        }
    }
}

#[test]
fn mutants_pass() {
    let number = |name: &str| -> Option<usize> {
        let text = std::env::var(name).ok()?;
        Some(
            text.parse()
                .unwrap_or_else(|_| panic!("{name} is a number")),
        )
    };
    let seconds = number("VLPT_FUZZ_SECONDS").map(|n| Duration::from_secs(n as u64));
    let count = number("VLPT_MUTANTS").unwrap_or(match seconds {
        Some(_) => usize::MAX,
        None => MUTANTS,
    });
    for target in targets() {
        let start = Instant::now();
        let mut tried = 0;
        for input in mutants(&(target.seeds)(), count) {
            if seconds.is_some_and(|most| start.elapsed() > most) {
                break;
            }
            run(target, &format!("mutant {tried}"), &input);
            tried += 1;
        }
        eprintln!(
            "{}: {tried} mutants in {:.1?}",
            target.name,
            start.elapsed()
        );
    }
}

#[test]
fn stored_inputs_pass() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut ran = 0;
    for target in targets() {
        for kind in ["corpus", "regressions"] {
            let Ok(entries) = std::fs::read_dir(fuzz.join(kind).join(target.name)) else {
                continue;
            };
            for entry in entries {
                let path = entry.unwrap().path();
                let input = std::fs::read(&path).unwrap();
                run(target, &path.display().to_string(), &input);
                ran += 1;
            }
        }
    }
    eprintln!("{ran} stored inputs");
}
