//! `vlpt merge` by the binary: the merged model answers as the prompt does, and what has nothing to
//! merge is refused.
#![allow(clippy::unwrap_used)]

mod common;

use common::{ok, photos, run, transcript};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn tune(folder: &std::path::Path, method: &str) {
    let train = [
        "train", "photos", "--method", method, "--shots", "2", "--epochs", "3", "--out", method,
        "--quiet",
    ];
    ok(folder, &train);
}

#[test]
fn a_merged_model_answers_as_the_prompt_does() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    tune(folder, "clip-lora");
    let merged = ok(folder, &["merge", "clip-lora", "--out", "model", "--json"]);
    let merged = json(&merged);
    assert_eq!(merged["base_model"], "mini-clip");
    assert_eq!(merged["changed"].as_array().unwrap().len(), 3 * (4 + 8));
    let readme = fs_err::read_to_string(folder.join("model/README.md")).unwrap();
    assert!(readme.contains("updates of clip-lora"), "{readme}");

    let template = "a photo of a {}.";
    let eval = ok(folder, &["eval", "clip-lora", "photos", "--json"]);
    let zeroshot = [
        "zeroshot",
        "photos",
        "--model",
        "./model",
        "--template",
        template,
        "--json",
    ];
    let zeroshot = ok(folder, &zeroshot);
    assert_eq!(json(&eval)["value"], json(&zeroshot)["value"]);
    let again = transcript(folder, &["merge", "clip-lora", "--out", "model"]);
    assert!(again.contains("model: exists already"), "{again}");
}

#[test]
fn features_of_classes_are_told_to_stay_behind() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    tune(folder, "2sfs");
    let said = transcript(folder, &["merge", "2sfs", "--out", "model"]);
    assert!(said.contains("updates of 2sfs"), "{said}");
    assert!(said.contains("stay in the prompt folder"), "{said}");
}

#[test]
fn a_method_that_changes_no_weights_is_refused() {
    let home = tempfile::tempdir().unwrap();
    photos(home.path());
    tune(home.path(), "coop");
    let said = transcript(home.path(), &["merge", "coop", "--out", "model"]);
    let expected = "coop changes no weights of the model: there is nothing to merge";
    assert!(said.contains(expected), "{said}");
    assert!(
        said.contains("hint: methods that change weights: clip-lora"),
        "{said}"
    );
    assert_eq!(
        run(home.path(), &["merge", "coop", "--out", "x"])
            .status
            .code(),
        Some(2)
    );
    assert!(!home.path().join("model").exists());
}
