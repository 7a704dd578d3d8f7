//! Every flag that a message of the program names is one that there is, and so is every command.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use common::vlpt;

/// Flags of the commands, by their words: `""` for the program, `study plan` for a command.
fn flags() -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(words) = open.pop() {
        let output = vlpt().args(&words).arg("--help").output().unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        let mut own = BTreeSet::new();
        let mut commands = false;
        for line in help.lines() {
            let text = line.trim();
            match text {
                "Commands:" => commands = true,
                "" => commands = false,
                _ if commands => {
                    let name = text.split_whitespace().next().unwrap();
                    let is_name = line.starts_with("  ") && !line.starts_with("   ");
                    if is_name && name != "help" {
                        open.push([words.clone(), vec![name.to_owned()]].concat());
                    }
                }
                // such as `-o, --out <FOLDER>`
                _ if text.starts_with('-') => own.extend(named(text.split('<').next().unwrap())),
                _ => {}
            }
        }
        all.insert(words.join(" "), own);
    }
    all
}

/// The flags that a text names.
fn named(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let before = rest[..at].chars().next_back();
        let flag: String = rest[at + 2..].chars().take_while(|&c| word(c)).collect();
        let starts = flag.starts_with(|c: char| c.is_ascii_lowercase());
        if starts && !before.is_some_and(|c| word(c) || c == '/' || c == '=') {
            found.push(format!("--{flag}"));
        }
        rest = &rest[at + 2..];
    }
    found
}

/// Source files of the workspace.
fn sources() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut open: Vec<PathBuf> = std::fs::read_dir(crates)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("src"))
        .collect();
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The text literals of a source file, without comments and tests, each with its line.
fn literals(source: &str) -> Vec<(usize, String)> {
    let code = source.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, line) in code.lines().enumerate() {
        if open.is_none() && line.trim_start().starts_with("//") {
            continue;
        }
        let mut escaped = false;
        for (at, c) in line.char_indices() {
            match (&mut open, c) {
                (None, '"') => {
                    // the character '"', not a text
                    if !line[..at].ends_with('\'') {
                        open = Some((number + 1, String::new()));
                    }
                }
                (None, '/') if line[at..].starts_with("// ") => break,
                (None, _) => {}
                (Some((_, text)), c) if escaped => {
                    escaped = false;
                    text.push(c);
                }
                (Some(_), '\\') => escaped = true,
                (Some(_), '"') => found.extend(open.take()),
                (Some((_, text)), c) => text.push(c),
            }
        }
        if let Some((_, text)) = &mut open {
            text.push(' ');
        }
    }
    found
}

/// Programs other than this one whose flags a message may name.
const OTHERS: [&str; 5] = ["cargo ", "curl ", "#SBATCH", "git ", "sbatch"];

#[test]
fn every_flag_in_a_message_is_one_that_there_is() {
    let flags = flags();
    let known: BTreeSet<&String> = flags.values().flatten().collect();
    assert!(known.len() > 60, "help is no longer read: {known:?}");
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for path in sources() {
        let source = std::fs::read_to_string(&path).unwrap();
        if path.ends_with("launch/slurm.rs") {
            continue; // it writes the flags of Slurm's programs
        }
        for (line, text) in literals(&source) {
            if OTHERS.iter().any(|program| text.contains(program)) {
                continue;
            }
            let here = || format!("{}:{line}: {text}", path.display());
            for flag in named(&text) {
                looked_at += 1;
                if !known.contains(&flag) {
                    wrong.push(format!("no command has {flag}: {}", here()));
                }
            }
            // a command in back quotes, as a way out is written
            for command in text.split('`').skip(1).step_by(2) {
                let Some(rest) = command.strip_prefix("vlpt ") else {
                    continue;
                };
                let words: Vec<&str> = rest.split_whitespace().collect();
                let two = words[..words.len().min(2)].join(" ");
                let verb = if flags.contains_key(&two) {
                    &*two
                } else {
                    words[0]
                };
                match flags.get(verb) {
                    None => wrong.push(format!("no command `vlpt {verb}`: {}", here())),
                    Some(own) => {
                        let absent = named(rest).into_iter().find(|flag| !own.contains(flag));
                        wrong.extend(
                            absent.map(|flag| format!("`vlpt {verb}` has no {flag}: {}", here())),
                        );
                    }
                }
            }
        }
    }
    assert!(looked_at > 40, "literals are no longer found: {looked_at}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Commands that open data sets.
const OPEN_DATA: [&str; 13] = [
    "train",
    "tune",
    "multitask source",
    "multitask adapt",
    "multitask joint",
    "eval",
    "zeroshot",
    "import",
    "inspect attention",
    "inspect variance",
    "study plan",
    "data check",
    "data sample",
];
/// Settings of `[data]` that are no options of reading: what is read, what texts are made of, and what
/// `vlpt tune` writes down.
const NO_FLAGS: [&str; 4] = [
    "data.path",
    "data.templates",
    "data.all_to_train",
    "data.more",
];

#[test]
fn every_command_that_opens_data_has_every_option_of_data() {
    let flags = flags();
    let keys = vlpt_train::all_keys().into_iter();
    let keys = keys.filter(|key| key.starts_with("data.") && !NO_FLAGS.contains(&&**key));
    let wanted: Vec<String> = keys
        .map(|key| format!("--{}", key["data.".len()..].replace('_', "-")))
        .collect();
    assert!(wanted.len() > 7);
    for command in OPEN_DATA {
        for flag in &wanted {
            assert!(
                flags[command].contains(flag),
                "`vlpt {command}` has no {flag}"
            );
        }
    }
}
