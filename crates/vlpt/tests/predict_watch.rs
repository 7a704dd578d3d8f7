//! `vlpt predict --watch`: photos as they come, each once, also over restarts.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{prompt, run, vlpt, write_png};
use serde_json::Value;

fn start(folder: &Path, args: &[&str]) -> Child {
    vlpt()
        .current_dir(folder)
        .args([&["predict", "prompt", "--watch", "inbox"], args].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Ends it as Ctrl-C does; gives what it said.
fn end(child: Child) -> String {
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{said}");
    said
}

/// Waits until the answers are so many rows, and gives them.
fn rows(path: &Path, count: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let text = fs::read_to_string(path).unwrap_or_default();
        if text.lines().count() >= count || begun.elapsed() > Duration::from_mins(1) {
            let rows: Vec<Value> = text
                .lines()
                .map(|row| serde_json::from_str(row).unwrap())
                .collect();
            assert_eq!(rows.len(), count, "{text}");
            return rows;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn paths(rows: &[Value]) -> Vec<&str> {
    rows.iter()
        .map(|row| row["path"].as_str().unwrap())
        .collect()
}

#[test]
fn each_photo_is_answered_once_when_it_is_complete_also_over_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    let inbox = folder.join("inbox");
    write_png(&inbox.join("old/1.png"), [200, 20, 5]);
    for junk in [".part.png", "Thumbs.db", "notes.txt"] {
        fs::write(inbox.join(junk), "junk").unwrap();
    }
    let out = folder.join("answers.jsonl");
    let args = ["--out", "answers.jsonl", "--top", "1"];
    let child = start(folder, &args);
    assert_eq!(paths(&rows(&out, 1)), ["inbox/old/1.png"]);

    // One that is written bit by bit, a folder that is moved in, one that is no image, one that goes away.
    write_png(&folder.join("made/2.png"), [5, 20, 200]);
    let whole = fs::read(folder.join("made/2.png")).unwrap();
    let mut slow = fs::File::create(inbox.join("slow.png")).unwrap();
    let (first, rest) = whole.split_at(whole.len() / 2);
    slow.write_all(first).unwrap();
    fs::write(inbox.join("gone.png"), first).unwrap();
    fs::rename(folder.join("made"), inbox.join("made")).unwrap();
    std::thread::sleep(Duration::from_millis(600));
    fs::remove_file(inbox.join("gone.png")).unwrap();
    slow.write_all(rest).unwrap();
    drop(slow);
    fs::write(inbox.join("bad.jpg"), "no image").unwrap();
    let found = rows(&out, 4);
    let mut names = paths(&found);
    names.sort_unstable();
    let expected = [
        "inbox/bad.jpg",
        "inbox/made/2.png",
        "inbox/old/1.png",
        "inbox/slow.png",
    ];
    assert_eq!(names, expected);
    for row in &found {
        let bad = row["path"] == "inbox/bad.jpg";
        assert_eq!(row["error"].is_string(), bad, "{row}");
    }
    let said = end(child);
    assert!(said.contains("watching inbox"), "{said}");
    assert!(said.contains("4 photos were answered"), "{said}");
    assert!(
        said.contains("go on with: vlpt predict prompt --watch inbox"),
        "{said}"
    );

    // What came meanwhile, what was changed, and what was left behind by a kill in the middle of a row.
    write_png(&inbox.join("new.png"), [1, 200, 3]);
    fs::write(inbox.join("bad.jpg"), &whole).unwrap();
    fs::remove_file(inbox.join("old/1.png")).unwrap();
    let mut torn = fs::OpenOptions::new().append(true).open(&out).unwrap();
    torn.write_all(b"{\"path\":\"inbox/to").unwrap();
    let child = start(folder, &args);
    let found = rows(&out, 6);
    assert_eq!(paths(&found)[4..], ["inbox/bad.jpg", "inbox/new.png"]);
    assert!(found[4]["error"].is_null());
    let said = end(child);
    assert!(
        said.contains("4 photos in it were answered before"),
        "{said}"
    );

    // Not with answers of another kind.
    let other = run(
        folder,
        &[
            "predict",
            "prompt",
            "--watch",
            "inbox",
            "--out",
            "answers.jsonl",
            "--top",
            "2",
        ],
    );
    assert_eq!(other.status.code(), Some(2));
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("begun with another prompt"), "{said}");
}

#[test]
fn a_folder_is_looked_at_from_time_to_time_on_request() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    prompt(folder);
    let inbox = folder.join("inbox");
    write_png(&inbox.join("1.png"), [200, 20, 5]);
    let out = folder.join("answers.csv");
    let child = start(folder, &["--out", "answers.csv", "--poll", "0.2"]);
    let count = |count| {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_mins(1) {
            let text = fs::read_to_string(&out).unwrap_or_default();
            if text.lines().count() == count {
                return text;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("no {count} rows within a minute")
    };
    assert!(count(2).starts_with("path,predicted,probability,class_1,"));
    write_png(&inbox.join("deep/er/2.png"), [5, 20, 200]);
    assert!(count(3).contains("inbox/deep/er/2.png,"));
    let said = end(child);
    assert!(said.contains("every 0.2 s"), "{said}");
    assert!(said.contains("2 photos were answered"), "{said}");
}

#[test]
fn what_cannot_grow_or_be_watched_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::create_dir(folder.join("inbox")).unwrap();
    for (args, word) in [
        (
            &["--watch", "inbox", "--out", "a.parquet"][..],
            "cannot grow",
        ),
        (&["--watch", "inbox", "--json"], "--watch has no end"),
        (&["--watch", "absent"], "no folder to watch"),
        (&["--watch", "inbox", "--poll", "0"], "expected seconds"),
        (&["--watch", "inbox", "more.png"], "cannot be used with"),
        (&["a.png", "--poll", "3"], "--watch"),
    ] {
        let output = run(folder, &[&["predict", "prompt"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(word), "{args:?}: {said}");
    }
}
