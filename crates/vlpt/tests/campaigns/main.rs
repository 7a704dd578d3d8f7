//! Campaigns: many hostile situations of one kind, each with an outcome, and one table in the end.
//!
//! ```sh
//! cargo test -p vlpt --test campaigns                   # all of them, small: under a minute
//! cargo test -p vlpt --test campaigns -- kills          # those whose names hold the word
//! cargo test -p vlpt --test campaigns -- --full         # at full size: some ten minutes
//! cargo test -p vlpt --test campaigns -- scale          # only by name: large sets, time and memory
//! ```
//!
//! A row counts what was tried and what broke a promise: panics (a message of Rust's, exit code 101),
//! hangs, memory (an abort, a kill, or more than the row's limit), wrong accepts (taken although it is
//! not whole, or not refused), and lost (work or files that were there before). Anything but zeros
//! fails the test, after the whole table. `VLPT_BIN` names another program than the one just built.
#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test with a main function of its own"
)]

#[path = "../common/mod.rs"]
mod common;

mod archives;
mod bytes;
mod child;
mod decoding;
mod disk;
mod kills;
mod limits;
mod outcome;
mod scale;
mod starters;

use std::process::ExitCode;
use std::time::Instant;

use outcome::{Outcome, table};

/// What is run, and how large.
pub(crate) struct Size {
    /// All of it, not the small part that every change has to pass.
    pub(crate) full: bool,
}

type Campaign = (&'static str, fn(&Size) -> Outcome);

/// Run by default.
const CAMPAIGNS: &[Campaign] = &[
    ("kills", kills::run),
    ("starters", starters::run),
    ("full-disk", disk::full),
    ("file-size", disk::sizes),
    ("permissions", disk::permissions),
    ("files", limits::files),
    ("address-space", limits::address_space),
    ("threads", limits::threads),
    ("decoding", decoding::run),
    ("archives", archives::run),
    ("truncated", bytes::truncated),
    ("mutants", bytes::mutants_of_all),
];

/// Run only where they are named.
const BY_NAME: &[Campaign] = &[("scale", scale::run)];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let size = Size {
        full: words.iter().any(|word| word == "--full"),
    };
    if words.iter().any(|word| word == "--list") {
        return ExitCode::SUCCESS; // a test runner that asks what there is
    }
    let names: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let named = |(name, _): &&Campaign| names.iter().any(|word| name.contains(word.as_str()));
    let chosen = CAMPAIGNS
        .iter()
        .filter(|campaign| names.is_empty() || named(campaign))
        .chain(BY_NAME.iter().filter(named));
    let mut rows = Vec::new();
    for (name, run) in chosen {
        let start = Instant::now();
        let outcome = run(&size);
        for line in &outcome.failures {
            eprintln!("{name}: {line}");
        }
        let seconds = start.elapsed().as_secs_f64();
        eprintln!("{name}: {seconds:.1} s");
        rows.push((*name, outcome, seconds));
    }
    println!("{}", table(&rows));
    if rows
        .iter()
        .all(|(_, outcome, _)| outcome.failures.is_empty())
    {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
