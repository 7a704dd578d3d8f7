//! What stands on the page.

use std::collections::BTreeSet;

pub(super) const GUIDE: &str = include_str!("../../../../docs/guides/serve.md");

/// The lines of the page's blocks in a language.
pub(super) fn lines(language: &str) -> Vec<&'static str> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in GUIDE.lines() {
        if let Some(opened) = line.strip_prefix("```") {
            inside = opened == language;
        } else if inside {
            found.push(line);
        }
    }
    found
}

/// The words of a line of shell without its comment; quotes hold blanks together.
pub(super) fn words(line: &str) -> Vec<String> {
    let line = line.split_once(" #").map_or(line, |(command, _)| command);
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.trim().chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The commands of the page that begin with a program's name, word by word.
pub(super) fn commands(program: &str) -> Vec<Vec<String>> {
    let all = lines("sh").into_iter().map(words);
    all.filter(|words| words[0] == program).collect()
}

/// Paths in the table of interfaces, each with its method: `POST /models/NAME`, `GET /health`.
pub(super) fn interfaces() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    let table = GUIDE.split("## Interfaces").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    for line in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = line.trim_start_matches("| ").split(" | ").next().unwrap();
        let mut method = String::new();
        for word in cell.split(", ").map(|word| word.trim_matches('`')) {
            let path = match word.split_once(' ') {
                Some((named, path)) => {
                    named.clone_into(&mut method);
                    path
                }
                None => word,
            };
            found.insert((
                method.clone(),
                path.replace("NAME", "pets").replace("A,B", "pets,flowers"),
            ));
        }
    }
    found
}
