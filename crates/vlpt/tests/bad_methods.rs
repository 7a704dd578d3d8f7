//! Methods, options and flags that do not go together get one clear message before any work.
#![allow(clippy::unwrap_used)]

mod common;

use common::{photos, transcript};

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings
}

#[test]
fn a_method_and_flags_that_do_not_go_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let cases: [(&str, &[&str]); 10] = [
        ("unknown_method", &["--method", "vtp"]),
        ("unknown_method_key", &["--set", "method=vtp"]),
        (
            "context_without_text_tokens",
            &["--method", "vpt", "--context", "4"],
        ),
        (
            "prompts_without_image_tokens",
            &["--method", "cocoop", "--prompts", "4"],
        ),
        ("no_visual_prompts", &["--method", "vpt", "--prompts", "0"]),
        (
            "unknown_depth",
            &["--method", "vpt", "--set", "vpt.depth=deap"],
        ),
        ("too_deep", &["--method", "vpt", "--set", "vpt.depth=99"]),
        (
            "bad_dropout",
            &["--method", "upt", "--set", "upt.dropout=1.5"],
        ),
        (
            "baseline_with_fresh_views",
            &["--method", "linear-probe", "--views", "fresh"],
        ),
        (
            "bad_alpha",
            &["--method", "tip-adapter", "--set", "tip_adapter.alpha=-1"],
        ),
    ];
    for (name, more) in cases {
        let args = [&["train", "photos", "--out", "run"], more].concat();
        let said = transcript(folder.path(), &args);
        assert!(!folder.path().join("run").exists(), "{said}");
        settings().bind(|| insta::assert_snapshot!(name, said));
    }
}

#[test]
fn a_baseline_refuses_classes_that_it_was_not_fitted_to() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let train = [
        "train",
        "photos",
        "--method",
        "linear-probe",
        "--out",
        "run",
    ];
    common::ok(folder.path(), &train);
    let other = ["predict", "run", "photos/red/0.png", "--classes", "cat,dog"];
    let said = transcript(folder.path(), &other);
    settings().bind(|| insta::assert_snapshot!("probe_with_other_classes", said));
}

#[test]
fn text_flags_reach_the_method_that_a_recipe_names() {
    let folder = tempfile::tempdir().unwrap();
    let printed = |args: &[&str]| {
        let all = [&["train", "photos", "--print-config", "--json"], args].concat();
        let text = common::ok(folder.path(), &all);
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let upt = printed(&["--recipe", "upt-mvlpt", "--context", "7", "--prompts", "3"]);
    let upt = &upt["method"];
    assert_eq!(
        (&upt["name"], &upt["upt"]["text_count"]),
        (&"upt".into(), &7.into())
    );
    assert_eq!(upt["upt"]["visual_count"], 3);
    // Tables of other methods play no part.
    assert!(upt["coop"].is_null());
    // A method named by --set counts as well.
    let cocoop = printed(&["--set", "method=cocoop", "--init", "a picture of the"]);
    assert_eq!(cocoop["method"]["cocoop"]["init"], "a picture of the");
    // And --set has the last word.
    let vlpt = printed(&["--method", "vlpt", "--prompts", "3", "--set", "vpt.count=5"]);
    assert_eq!(vlpt["method"]["vpt"]["count"], 5);
}

#[test]
fn every_key_of_every_method_is_in_the_printed_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let tables = vlpt_methods::option_tables();
    for spec in vlpt_methods::METHODS {
        let args = ["train", "photos", "--method", spec.name, "--print-config"];
        let text = common::ok(folder.path(), &args);
        let mut section = String::new();
        let mut found = std::collections::BTreeSet::new();
        for line in text.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                section = format!("{name}.");
            } else if let Some((key, _)) = line.trim_start_matches("# ").split_once([' ', ':']) {
                found.insert(format!("{section}{key}"));
            }
        }
        for key in vlpt_train::all_keys() {
            let table = key.split('.').nth(1).unwrap_or_default();
            let of_another = tables.iter().any(|t| t.name == table) && spec.table(table).is_none();
            let hidden = key.ends_with(".finetune");
            assert!(
                of_another || hidden || found.contains(&key),
                "{key} is missing from\n{text}"
            );
        }
    }
}
