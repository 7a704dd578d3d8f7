//! A run goes on from any folder; what is given beside `--resume` acts or is refused by name.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{ok, photos, run, vlpt};

const TRAIN: [&str; 9] = [
    "train",
    "photos",
    "--shots",
    "2",
    "--set",
    "train.batch_size=4",
    "--set",
    "train.schedule=\"constant\"",
    "--epochs",
];

fn train(folder: &Path, epochs: &str, out: &str) {
    let args = [&TRAIN[..], &[epochs, "--out", out]].concat();
    ok(folder, &args);
}

fn error(folder: &Path, args: &[&str]) -> String {
    let output = run(folder, args);
    assert!(!output.status.success(), "{args:?} went through");
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn more_epochs_continue_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    photos(folder.path());
    train(folder.path(), "2", "short");
    train(folder.path(), "4", "long");
    let said = ok(
        folder.path(),
        &["train", "--resume", "short", "--epochs", "4"],
    );
    assert!(said.contains("finished: prompt of epoch 4"), "{said}");
    // a constant rate knows nothing of the number of epochs, so the two are one run
    for file in [
        "config.toml",
        "checkpoint/state.safetensors",
        "prompt/adapter_model.safetensors",
        "prompt/adapter_config.json",
        "prompt/classifier.safetensors",
    ] {
        let same =
            fs::read(at("short").join(file)).unwrap() == fs::read(at("long").join(file)).unwrap();
        let position = file.starts_with("checkpoint");
        assert!(same || position, "{file} differs");
    }
    // done: the same number is nothing to do
    let said = ok(
        folder.path(),
        &["train", "--resume", "short", "--epochs", "4"],
    );
    assert!(said.contains("was finished already"), "{said}");
    let said = error(
        folder.path(),
        &["train", "--resume", "short", "--epochs", "3"],
    );
    assert!(said.contains("train.epochs = 4, now it is 3"), "{said}");
}

#[test]
fn a_rate_that_falls_over_all_epochs_is_told() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    ok(
        folder.path(),
        &[
            "train", "photos", "--shots", "1", "--epochs", "2", "--out", "run",
        ],
    );
    let output = run(
        folder.path(),
        &["train", "--resume", "run", "--epochs", "3"],
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("the rates of a run of 2") && said.contains("those of a run of 3"),
        "{said}"
    );
}

#[test]
fn a_baseline_and_an_average_over_epochs_cannot_go_on() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let mut methods = vlpt_methods::METHODS.iter();
    let name = methods.find(|spec| spec.is_baseline()).unwrap().name;
    ok(
        folder.path(),
        &[
            "train", "photos", "--shots", "2", "--method", name, "--epochs", "2", "--out", "run",
        ],
    );
    let said = error(
        folder.path(),
        &["train", "--resume", "run", "--epochs", "9"],
    );
    assert!(
        said.contains("fitted at once") && said.contains("--epochs"),
        "{said}"
    );
}

#[test]
fn every_other_setting_is_refused_by_name_unless_it_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    train(folder.path(), "2", "run");
    fs::write(folder.path().join("names.txt"), "red\nblue\n").unwrap();
    let changed: [(&[&str], &str); 12] = [
        (&["--lr", "5"], "train.lr"),
        (&["--shots", "3"], "few_shot.shots"),
        (&["--seed", "9"], "seed"),
        (&["--views", "cached"], "views.mode"),
        (&["--select", "best_val"], "train.select"),
        (&["--split-seed", "3"], "data.split_seed"),
        (&["--name", "other"], "data.name"),
        (&["--class-file", "names.txt"], "data.class_file"),
        (&["--class-subset", "base"], "data.class_subset"),
        (&["--drop-empty-classes"], "data.drop_empty_classes"),
        (&["--set", "train.batch_size=5"], "train.batch_size"),
        (&["synthetic:shapes"], "data.path"),
    ];
    for (flags, key) in changed {
        let said = error(
            folder.path(),
            &[&["train", "--resume", "run"], flags].concat(),
        );
        assert!(
            said.contains(key) && said.contains("was started with"),
            "{flags:?}: {said}"
        );
    }
    for flags in [
        &["photos", "--shots", "2", "--epochs", "2"][..],
        &["--split-seed", "0", "--lr", "0.05"],
        &["--set", "compute.checkpoint_seconds=1"],
    ] {
        let said = ok(
            folder.path(),
            &[&["train", "--resume", "run"], flags].concat(),
        );
        assert!(said.contains("was finished already"), "{flags:?}: {said}");
    }
    let said = error(
        folder.path(),
        &["train", "--resume", "run", "--out", "other"],
    );
    assert!(said.contains("--out"), "{said}");
}

#[test]
fn a_run_is_resumed_and_judged_from_another_folder_as_its_data_was_opened() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let away = tempfile::tempdir().unwrap();
    let mut rows = "file,species,split\n".to_owned();
    for i in 0..10 {
        let split = if i < 6 { "train" } else { "test" };
        for colour in ["red", "blue"] {
            rows += &format!("photos/{colour}/{i}.png,{colour},{split}\n");
        }
    }
    fs::write(folder.path().join("list.csv"), rows).unwrap();
    let train = "train list.csv --format csv --image-column file --label-column species --class-file names.txt \
                 --shots 2 --epochs 1 --out run";
    fs::write(folder.path().join("names.txt"), "red\nblue\n").unwrap();
    let train: Vec<&str> = train.split_whitespace().collect();
    ok(folder.path(), &train);
    let config = fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    assert!(config.contains("path = \"list.csv\""), "{config}");
    let there = folder.path().join("run");
    let there = there.to_str().unwrap();
    let said = ok(away.path(), &["train", "--resume", there]);
    assert!(said.contains("was finished already"), "{said}");
    for prompt in [there.to_owned(), format!("{there}/prompt")] {
        let said = ok(away.path(), &["eval", &prompt]);
        assert!(said.contains("8 images"), "{said}");
    }
    // the same data by its name is opened as the run did; a flag comes first
    let list = folder.path().join("list.csv");
    let said = ok(away.path(), &["eval", there, list.to_str().unwrap()]);
    assert!(said.contains("8 images"), "{said}");
    let said = error(away.path(), &["eval", there, "--label-column", "nowhere"]);
    assert!(said.contains("`nowhere`"), "{said}");
    // of another set only the columns hold, and only where it has them
    let other = folder.path().join("other.csv");
    fs::write(
        &other,
        "file,species\nphotos/red/1.png,red\nphotos/blue/1.png,blue\n",
    )
    .unwrap();
    let folders = folder.path().join("photos");
    for (path, format) in [(&other, "csv"), (&folders, "classfolders")] {
        let path = path.to_str().unwrap();
        let args = ["eval", there, path, "--split", "train", "--format", format];
        let said = run(away.path(), &args);
        let text = String::from_utf8(said.stderr).unwrap();
        assert!(said.status.success(), "{text}");
    }
    // data that has moved is named
    fs::create_dir(folder.path().join("moved")).unwrap();
    for name in ["list.csv", "photos"] {
        fs::rename(
            folder.path().join(name),
            folder.path().join("moved").join(name),
        )
        .unwrap();
    }
    let list = folder.path().join("moved/list.csv");
    for verb in [&["train", "--resume", there][..], &["eval", there]] {
        let said = error(away.path(), verb);
        assert!(
            said.contains("nothing lies there") && said.contains("RUN DATA"),
            "{said}"
        );
    }
    let said = ok(
        away.path(),
        &["train", "--resume", there, list.to_str().unwrap()],
    );
    assert!(said.contains("was finished already"), "{said}");
    // a prompt that has left its run knows no data
    let moved = away.path().join("alone");
    fs::rename(folder.path().join("run/prompt"), &moved).unwrap();
    let said = error(away.path(), &["eval", "alone"]);
    assert!(
        said.contains("no data set is named") && said.contains("vlpt eval PROMPT DATA"),
        "{said}"
    );
}

#[test]
fn a_prompt_of_the_base_classes_is_judged_on_the_new_ones() {
    let folder = tempfile::tempdir().unwrap();
    ok(
        folder.path(),
        &[
            "train",
            "synthetic:shapes",
            "--class-subset",
            "base",
            "--shots",
            "1",
            "--epochs",
            "1",
            "--out",
            "run",
        ],
    );
    let json = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&ok(folder.path(), args)).unwrap()
    };
    let base = json(&["--json", "eval", "run"]);
    let new = json(&["--json", "eval", "run", "--class-subset", "new"]);
    let all = json(&[
        "--json",
        "eval",
        "run",
        "--class-subset",
        "all",
        "--classes-of",
        "data",
    ]);
    let count = |result: &serde_json::Value| result["per_class"].as_array().unwrap().len();
    assert_eq!(count(&base) + count(&new), count(&all));
    assert!(count(&base) - count(&new) <= 1);
    let names = fs::read_to_string(folder.path().join("run/prompt/class_names.txt")).unwrap();
    assert_eq!(names.lines().count(), count(&base));
}

#[test]
fn the_environment_is_for_new_runs() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    train(folder.path(), "1", "run");
    let output = vlpt()
        .current_dir(folder.path())
        .env("VLPT_MODEL", "some/other-model")
        .env("VLPT_FORMAT", "csv")
        .env("VLPT_PRECISION", "bf16")
        .args(["train", "--resume", "run"])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
