//! The commands of docs/guides/photos-to-classifier.md, run one after another as they stand there.

#![allow(clippy::unwrap_used)]

mod common;

use common::{drawn_photos, run};

const GUIDE: &str = include_str!("../../../docs/guides/photos-to-classifier.md");

/// The lines of the page's shell blocks, without comments.
fn commands() -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in GUIDE.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside {
            let line = line.split_once(" #").map_or(line, |(command, _)| command);
            found.push(line.split_whitespace().collect());
        }
    }
    found
}

#[test]
fn every_command_of_the_guide_works() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 3, 0, 5);
    drawn_photos(&folder.join("more-photos"), "shapes", 3, 5, 3);
    drawn_photos(&folder.join("other-photos"), "shapes", 3, 8, 6);
    drawn_photos(&folder.join("new"), "shapes", 3, 14, 1);
    let all = commands();
    assert!(all.len() >= 8, "{all:?}");
    for command in all {
        let [program, rest @ ..] = &command[..] else {
            continue;
        };
        assert_eq!(*program, "vlpt");
        let mut args = rest.to_vec();
        // What fits the time is another matter: here a few seconds are enough.
        if rest[0] == "tune" && !rest.contains(&"--minutes") {
            args.extend(["--minutes", "0.02"]);
        }
        if let Some(at) = args.iter().position(|word| *word == "--minutes") {
            args[at + 1] = "0.02";
        }
        let output = run(folder, &args);
        assert!(
            output.status.success(),
            "{command:?}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert!(folder.join("runs/photos-2/report.html").is_file());
}
