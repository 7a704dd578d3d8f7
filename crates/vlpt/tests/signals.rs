//! Ctrl-C, SIGTERM and the warnings of schedulers: a checkpoint, the command that goes on, and with
//! it the bytes of a run left alone.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use common::{contents, drawn_photos, ok, run, vlpt, write_png};

/// Long enough to be interrupted, and without a checkpoint of its own accord.
const TRAIN: [&str; 12] = [
    "train",
    "synthetic:shapes",
    "--method",
    "coop",
    "--shots",
    "2",
    "--epochs",
    "60",
    "--set",
    "compute.checkpoint_seconds=3600",
    "--threads",
    "1",
];

fn start(folder: &Path, args: &[&str]) -> Child {
    vlpt()
        .current_dir(folder)
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = std::process::Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// Waits until `there` holds, which it does within a minute.
fn wait(what: &str, mut there: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !there() {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "{what}: not within a minute"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until a run has taken its first steps: an epoch is in its events.
fn wait_for_epoch(run: &Path) {
    let events = run.join("events.jsonl");
    wait("an epoch", || {
        std::fs::read_to_string(&events).is_ok_and(|text| text.contains("\"epoch\""))
    });
}

/// Waits until a run somewhere below a folder has taken its first steps.
fn wait_for_epoch_below(folder: &Path) {
    wait("an epoch of any run", || {
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            // what is made anew at this moment is seen the next time
            for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.ends_with("events.jsonl")
                    && std::fs::read_to_string(path).is_ok_and(|text| text.contains("\"epoch\""))
                {
                    return true;
                }
            }
        }
        false
    });
}

fn ended(child: Child) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn an_interrupted_run_says_how_it_goes_on_and_comes_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let out = |name: &'static str| [&TRAIN[..], &["--out", name]].concat();
    ok(home.path(), &out("alone"));
    let alone = contents(&home.path().join("alone"));
    for (name, code, run) in [
        ("INT", 130, "int"),
        ("TERM", 143, "term"),
        ("USR1", 128 + usr(1), "usr1"),
        ("USR2", 128 + usr(2), "usr2"),
    ] {
        let child = start(home.path(), &out(run));
        wait_for_epoch(&home.path().join(run));
        signal(&child, name);
        let (found, stdout, stderr) = ended(child);
        assert_eq!(found, Some(code), "{name}: {stderr}");
        assert!(stdout.is_empty(), "{stdout}");
        let last = stderr.lines().last().unwrap();
        let goes_on = format!("; go on with: vlpt train --resume {run}");
        assert!(
            last.starts_with("stopped after ") && last.ends_with(&goes_on),
            "{stderr}"
        );
        let state = home.path().join(run).join("checkpoint/state.safetensors");
        assert!(state.exists(), "{name}: no checkpoint");
        assert!(!home.path().join(run).join("prompt").exists());
        ok(home.path(), &["train", "--resume", run]);
        let resumed = contents(&home.path().join(run));
        // the page names its run
        for (file, bytes) in alone
            .iter()
            .filter(|(file, _)| !file.ends_with("report.html"))
        {
            assert!(
                resumed.get(file) == Some(bytes),
                "{name}: {} differs",
                file.display()
            );
        }
        assert_eq!(resumed.len(), alone.len());
    }
}

/// The numbers of SIGUSR1 and SIGUSR2, which differ between systems.
fn usr(which: usize) -> i32 {
    let (linux, other) = ([10, 12], [30, 31]);
    if cfg!(target_os = "linux") {
        linux[which - 1]
    } else {
        other[which - 1]
    }
}

#[test]
fn a_second_signal_ends_at_once_and_nothing_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let args = [&TRAIN[..], &["--out", "twice"]].concat();
    let child = start(home.path(), &args);
    wait_for_epoch(&home.path().join("twice"));
    signal(&child, "INT");
    signal(&child, "INT");
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(
        stderr.contains("go on with: vlpt train --resume twice"),
        "{stderr}"
    );
    ok(home.path(), &["train", "--resume", "twice"]);
    assert!(
        home.path()
            .join("twice/prompt/adapter_config.json")
            .exists()
    );
}

#[test]
fn json_says_it_as_json_and_quiet_says_it_too() {
    let home = tempfile::tempdir().unwrap();
    for (flag, run) in [("--json", "json"), ("--quiet", "quiet")] {
        let args = [&TRAIN[..], &["--out", run, "--quiet", flag]].concat();
        let args: Vec<&str> = if flag == "--quiet" {
            args[..args.len() - 1].to_vec()
        } else {
            args
        };
        let child = start(home.path(), &args);
        wait_for_epoch(&home.path().join(run));
        signal(&child, "TERM");
        let (code, _, stderr) = ended(child);
        assert_eq!(code, Some(143), "{stderr}");
        if flag == "--json" {
            let value: serde_json::Value = serde_json::from_str(&stderr).unwrap();
            assert_eq!(value["error"]["exit_code"], 143);
            assert_eq!(
                value["error"]["hint"],
                "go on with `vlpt train --resume json`"
            );
        } else {
            assert_eq!(stderr.lines().count(), 1, "{stderr}");
        }
    }
}

#[test]
fn other_commands_end_at_once() {
    let home = tempfile::tempdir().unwrap();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        // waits for texts on its standard input
        let mut child = start(home.path(), &["tokenize"]);
        let stdin = child.stdin.take();
        // it has started when it listens: no file says so
        std::thread::sleep(Duration::from_millis(500));
        let begun = Instant::now();
        signal(&child, name);
        let (found, stdout, stderr) = ended(child);
        assert_eq!(found, Some(code), "{stderr}");
        assert!(stdout.is_empty() && stderr.is_empty(), "{stdout}{stderr}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        drop(stdin);
    }
}

#[test]
fn several_tasks_go_on_when_given_again() {
    let home = tempfile::tempdir().unwrap();
    let args = |out: &'static str| {
        [
            "multitask",
            "source",
            "--task",
            "synthetic:shapes",
            "--task",
            "synthetic:stripes",
            "--method",
            "coop",
            "--shots",
            "2",
            "--epochs",
            "30",
            "--seeds",
            "1,2",
            "--set",
            "compute.checkpoint_seconds=3600",
            "--threads",
            "1",
            "--out",
            out,
        ]
    };
    ok(home.path(), &args("alone"));
    let child = start(home.path(), &args("multi task"));
    wait_for_epoch(&home.path().join("multi task/seed-1"));
    signal(&child, "INT");
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(
        stderr.contains("go on with: vlpt multitask source --task synthetic:shapes"),
        "{stderr}"
    );
    assert!(
        stderr.trim_end().ends_with("--out 'multi task'"),
        "{stderr}"
    );
    ok(home.path(), &args("multi task"));
    for file in ["adapter_model.safetensors", "classifier.safetensors"] {
        let read =
            |run: &str| std::fs::read(home.path().join(run).join("prompt").join(file)).unwrap();
        assert!(read("alone") == read("multi task"), "{file} differs");
    }
}

#[test]
fn a_study_goes_on_when_given_again() {
    let home = tempfile::tempdir().unwrap();
    let plan = |study: &'static str| {
        let args = [
            "study",
            "plan",
            "--task",
            "synthetic:shapes",
            "--method",
            "coop",
            "--shots",
            "2",
            "--seeds",
            "0",
            "--set",
            "train.epochs=300",
            "--set",
            "compute.checkpoint_seconds=3600",
            "--test-images",
            "8",
            "--out",
            study,
        ];
        ok(home.path(), &args);
    };
    let work = |study: &'static str| ["study", "run", study, "--threads", "1"];
    plan("alone");
    ok(home.path(), &work("alone"));
    plan("the study");
    let child = start(home.path(), &work("the study"));
    wait_for_epoch_below(&home.path().join("the study"));
    signal(&child, "TERM");
    let (code, stdout, stderr) = ended(child);
    assert_eq!(code, Some(143), "{stderr}");
    assert!(!stdout.contains("study merge"), "{stdout}");
    let last = stderr.lines().last().unwrap();
    assert!(
        last.starts_with("stopped: the study is not complete: of 2 jobs 1 are left")
            && last.ends_with("; go on with: vlpt study run 'the study' --threads 1"),
        "{stderr}"
    );
    ok(home.path(), &work("the study"));
    let scores = |study: &str| {
        ok(home.path(), &["study", "merge", study]);
        std::fs::read(home.path().join(study).join("merged/scores.csv")).unwrap()
    };
    assert!(scores("the study") == scores("alone"));
}

#[test]
fn an_interrupted_tune_writes_nothing_and_goes_on_when_given_again() {
    let home = tempfile::tempdir().unwrap();
    drawn_photos(&home.path().join("photos"), "shapes", 3, 0, 6);
    let args = [
        "tune",
        "photos",
        "--methods",
        "coop",
        "--threads",
        "1",
        "--out",
        "tuned",
    ];
    let mut child = start(home.path(), &args);
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    // the first candidate is tried, the second is not
    assert!(said.any(|line| line.unwrap().starts_with("zero-shot ")));
    signal(&child, "INT");
    let said: Vec<String> = said.map(Result::unwrap).collect();
    let (code, stdout, _) = ended(child);
    assert_eq!(code, Some(130), "{said:?}");
    assert!(stdout.is_empty(), "{stdout}");
    assert_eq!(
        said.last().unwrap(),
        "stopped; nothing was written; go on with: vlpt tune photos --methods coop --threads 1 --out tuned"
    );
    assert!(!home.path().join("tuned").exists() && !home.path().join("tuned.new").exists());
    ok(home.path(), &args);
    assert!(home.path().join("tuned/tune.json").is_file());
}

#[test]
fn an_embedding_goes_on_when_given_again() {
    let home = tempfile::tempdir().unwrap();
    for i in 0..400_usize {
        let colour = [i as u8, (i / 3) as u8, 7];
        write_png(&home.path().join(format!("many/{i:03}.png")), colour);
    }
    let args = |out| ["embed", "many", "--threads", "1", "--out", out];
    ok(home.path(), &args("whole.npy"));
    let child = start(home.path(), &args("out.npy"));
    let rows = home.path().join("out.npy.part");
    wait("rows", || {
        std::fs::metadata(&rows).is_ok_and(|rows| rows.len() > 0)
    });
    signal(&child, "INT");
    let (code, stdout, stderr) = ended(child);
    assert_eq!(code, Some(130), "{stderr}");
    assert!(stdout.is_empty(), "{stdout}");
    assert_eq!(
        stderr.lines().last().unwrap(),
        "stopped; go on with: vlpt embed many --threads 1 --out out.npy"
    );
    let again = run(home.path(), &args("out.npy"));
    let stderr = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.success(), "{stderr}");
    assert!(stderr.contains("goes on after "), "{stderr}");
    let read = |name: &str| std::fs::read(home.path().join(name)).unwrap();
    assert!(read("out.npy") == read("whole.npy"));
}

#[test]
fn the_run_whose_folder_is_removed_or_replaced_stops_and_writes_nothing_more() {
    let home = tempfile::tempdir().unwrap();
    let often = |out: &'static str| {
        [
            "train",
            "synthetic:shapes",
            "--method",
            "coop",
            "--shots",
            "2",
            "--epochs",
            "400",
            "--set",
            "compute.checkpoint_seconds=0",
            "--threads",
            "1",
            "--out",
            out,
        ]
    };
    let dir = home.path().join("gone");
    let child = start(home.path(), &often("gone"));
    wait_for_epoch(&dir);
    let moved = home.path().join("moved");
    std::fs::rename(&dir, &moved).unwrap();
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    assert!(
        stderr.contains("gone: the run folder was removed or replaced"),
        "{stderr}"
    );
    assert!(!dir.exists() && !moved.join("prompt").exists());

    let dir = home.path().join("again");
    let child = start(home.path(), &often("again"));
    wait_for_epoch(&dir);
    std::fs::rename(&dir, home.path().join("before")).unwrap();
    let short = [
        "train",
        "synthetic:stripes",
        "--method",
        "coop",
        "--shots",
        "2",
        "--epochs",
        "3",
        "--threads",
        "1",
        "--out",
    ];
    ok(home.path(), &[&short[..], &["again"]].concat());
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(1), "{stderr}");
    ok(home.path(), &[&short[..], &["alone"]].concat());
    let (again, alone) = (contents(&dir), contents(&home.path().join("alone")));
    for (file, bytes) in alone
        .iter()
        .filter(|(file, _)| !file.ends_with("report.html"))
    {
        assert!(again.get(file) == Some(bytes), "{} differs", file.display());
    }
    assert_eq!(again.len(), alone.len());
}

#[test]
fn a_run_that_is_there_and_a_lost_prompt_say_and_do_what_goes_on() {
    let home = tempfile::tempdir().unwrap();
    for method in ["coop", "tip-adapter"] {
        let args = [
            "train",
            "synthetic:shapes",
            "--method",
            method,
            "--shots",
            "2",
            "--threads",
            "1",
            "--out",
            method,
        ];
        let epochs = ["--epochs", "3"];
        let args = if method == "coop" {
            [&args[..], &epochs].concat()
        } else {
            args.to_vec()
        };
        ok(home.path(), &args);
        let again = run(home.path(), &args);
        let stderr = String::from_utf8(again.stderr).unwrap();
        let hint = format!("hint: resume it with `vlpt train --resume {method}`");
        assert!(stderr.contains(&hint), "{stderr}");

        let dir = home.path().join(method);
        let before = contents(&dir);
        // nothing left to do, and said so
        let said = ok(home.path(), &["train", "--resume", method]);
        assert!(said.contains("was finished already"), "{said}");
        // the prompt folder is gone: it is written again, to the byte
        std::fs::remove_dir_all(dir.join("prompt")).unwrap();
        let said = ok(home.path(), &["train", "--resume", method]);
        assert!(said.contains("finished:"), "{said}");
        assert!(contents(&dir) == before, "{method}: not as before");
        // it is there and damaged: refused, with the way out
        let file = dir.join("prompt/classifier.safetensors");
        let mut bytes = std::fs::read(&file).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        let refused = run(home.path(), &["train", "--resume", method]);
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            stderr.contains("finished, but its prompt is damaged: "),
            "{stderr}"
        );
        assert!(
            stderr.contains(&format!("remove {method}/prompt and run")),
            "{stderr}"
        );
    }
}

#[test]
fn threads_are_bounded_and_tokens_need_none() {
    let home = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    for args in [
        ["--threads", "100000", "doctor"],
        ["--threads", "65536", "tokenize"],
    ] {
        let refused = run(home.path(), &args);
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(" threads: expected at most "), "{stderr}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20));
    #[cfg(target_os = "linux")]
    {
        let child = start(home.path(), &["--threads", "16", "tokenize"]);
        std::thread::sleep(Duration::from_millis(500));
        let threads = std::fs::read_dir(format!("/proc/{}/task", child.id()))
            .unwrap()
            .count();
        assert!(threads <= 2, "{threads} threads to tokenize with");
        drop(child.wait_with_output());
    }
}
