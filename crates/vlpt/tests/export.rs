//! `vlpt export` by the binary: what is written, what 8 bits cost, and what is refused.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{contents, ok, photos, run, transcript};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn tune(folder: &Path, method: &str) {
    let train = [
        "train", "photos", "--method", method, "--shots", "2", "--epochs", "2", "--out", method,
        "--quiet",
    ];
    ok(folder, &train);
}

#[test]
fn a_prompt_becomes_a_folder_and_says_what_eight_bits_cost() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    tune(folder, "vlpt");
    let export = |out: &str| {
        let args = [
            "export",
            "vlpt",
            "--out",
            out,
            "--int8",
            "--data",
            "photos",
            "--with-preprocessing",
            "--json",
        ];
        json(&ok(folder, &args))
    };
    let said = export("web");
    assert_eq!(said["method"], "vlpt");
    assert_eq!(said["base_model"], "mini-clip");
    for file in ["model.onnx", "image_classifier.onnx"] {
        let apart = said["checked"][file]["probabilities"].as_f64().unwrap();
        assert!(apart <= 1e-4, "{said}");
    }
    let cost = &said["int8"];
    assert_eq!(cost["images"], 4);
    assert_eq!(
        cost["accuracy"],
        json(&ok(folder, &["eval", "vlpt", "photos", "--json"]))["value"]
    );
    assert!(cost["largest_change"].as_f64().unwrap() < 0.05, "{said}");
    // the same bytes again
    export("again");
    assert_eq!(
        contents(&folder.join("web")),
        contents(&folder.join("again"))
    );
    let text = transcript(folder, &["export", "vlpt", "--out", "web"]);
    assert!(text.contains("web: exists already"), "{text}");
}

#[test]
fn a_model_and_class_names_are_enough() {
    let home = tempfile::tempdir().unwrap();
    let args = [
        "export",
        "--classes",
        "red,blue",
        "--model",
        "mini-clip",
        "--out",
        "zero",
    ];
    let said = transcript(home.path(), &args);
    assert!(
        said.starts_with("exit code: 0") && said.contains("onnx/model.onnx"),
        "{said}"
    );
    let config = fs_err::read_to_string(home.path().join("zero/config.json")).unwrap();
    assert_eq!(json(&config)["id2label"]["0"], "red");
}

#[test]
fn low_rank_updates_go_out_and_in() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    tune(folder, "clip-lora");
    ok(
        folder,
        &["export", "clip-lora", "--out", "peft", "--format", "peft"],
    );
    let import = [
        "import",
        "peft",
        "--data",
        "photos",
        "--model",
        "mini-clip",
        "--out",
        "back",
    ];
    let said = ok(folder, &import);
    assert!(said.contains("written by the PEFT library"), "{said}");
    let value =
        |prompt: &str| json(&ok(folder, &["eval", prompt, "photos", "--json"]))["value"].clone();
    assert_eq!(value("back"), value("clip-lora"));
    for format in ["hf", "onnx-towers", "classifier"] {
        let said = transcript(
            folder,
            &["export", "clip-lora", "--out", format, "--format", format],
        );
        assert!(said.starts_with("exit code: 0"), "{said}");
    }
    let zeroshot = [
        "zeroshot",
        "photos",
        "--model",
        "./hf",
        "--template",
        "a photo of a {}.",
        "--json",
    ];
    assert_eq!(json(&ok(folder, &zeroshot))["value"], value("clip-lora"));
}

#[test]
fn what_cannot_be_exported_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    tune(folder, "cocoop");
    let said = transcript(folder, &["export", "cocoop", "--out", "out"]);
    assert!(
        said.contains("cocoop makes the classes' texts anew for every image"),
        "{said}"
    );
    assert!(
        said.contains("hint: tune a prompt whose texts do not depend"),
        "{said}"
    );
    assert!(!folder.join("out").exists());
    for (args, expected) in [
        (
            &["--format", "peft", "--int8"][..],
            "--int8 was given, but it is for --format onnx",
        ),
        (&["--data", "photos"], "--int8"),
        (
            &["--int8", "--data", "photos", "--images", "0"],
            "--images is 0",
        ),
    ] {
        let args = [&["export", "cocoop", "--out", "out"], args].concat();
        let output = run(folder, &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(expected), "{said}");
    }
}

/// The commands of the guide, as they stand there.
#[test]
fn the_examples_of_the_guide_run() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    for (method, out) in [("coop", "runs/photos"), ("clip-lora", "runs/lora")] {
        let train = [
            "train", "photos", "--method", method, "--shots", "2", "--epochs", "1", "--out", out,
            "--quiet",
        ];
        ok(folder, &train);
    }
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guides/export.md");
    let guide = fs_err::read_to_string(guide).unwrap();
    let commands: Vec<&str> = guide
        .lines()
        .filter_map(|line| line.strip_prefix("vlpt "))
        .map(|line| line.split('#').next().unwrap().trim())
        .collect();
    assert!(commands.len() >= 8, "{commands:?}");
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().collect();
        let said = transcript(folder, &args);
        assert!(said.starts_with("exit code: 0"), "{command}: {said}");
    }
}
