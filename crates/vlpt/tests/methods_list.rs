//! `vlpt methods`: every method of the list with what it says of itself, and one with its options.

#![allow(clippy::unwrap_used)]

mod common;

use common::{ok, transcript};
use serde_json::Value;
use vlpt_methods::{METHODS, MethodConfig};

fn listed(folder: &std::path::Path, args: &[&str]) -> Value {
    let args = [&["methods", "--json"], args].concat();
    serde_json::from_str(&ok(folder, &args)).unwrap()
}

fn row<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut rows = document["methods"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap()
}

#[test]
fn every_method_stands_in_the_order_of_the_list_with_its_own_words() {
    let home = tempfile::tempdir().unwrap();
    let document = listed(home.path(), &[]);
    let rows = document["methods"].as_array().unwrap();
    assert_eq!(rows.len(), METHODS.len());
    for (row, spec) in rows.iter().zip(METHODS) {
        assert_eq!(row["name"], spec.name);
        assert_eq!(row["learns"], spec.summary);
        assert_eq!(row["source"], spec.source);
        let good = row["good_for"].as_str().unwrap_or_default();
        assert_eq!(good, spec.good_for);
        let needs = MethodConfig::new(spec).needs().words();
        assert_eq!(row["needs"].as_array().unwrap().len(), needs.len());
        assert!(row["numbers"].is_u64(), "{}: how many numbers?", spec.name);
        assert!(row["seconds_a_class"].is_null(), "nothing was measured");
    }
    let text = ok(home.path(), &["methods"]);
    for spec in METHODS {
        assert!(text.contains(spec.source), "{text}");
    }
    assert!(text.contains("not measured here; --measure estimates it"));
}

#[test]
fn numbers_are_those_of_the_classes_and_images() {
    let home = tempfile::tempdir().unwrap();
    let few = listed(home.path(), &[]);
    let many = listed(home.path(), &["--classes", "20", "--shots", "5"]);
    let numbers = |document: &Value, name: &str| row(document, name)["numbers"].as_u64().unwrap();
    // mini-clip's joint space is 256 wide, its texts 192
    assert_eq!(numbers(&few, "zero-shot"), 0);
    assert_eq!(numbers(&few, "coop"), 16 * 192);
    assert_eq!(numbers(&many, "coop"), 16 * 192);
    assert_eq!(numbers(&few, "linear-probe"), 10 * 257);
    assert_eq!(numbers(&many, "linear-probe"), 20 * 257);
    assert_eq!(numbers(&few, "tip-adapter-f"), 160 * 256);
    assert_eq!(numbers(&many, "tip-adapter-f"), 100 * 256);
    let error = transcript(home.path(), &["methods", "--classes", "1"]);
    assert!(
        error.contains("expected a number from 2 to 100000"),
        "{error}"
    );
}

#[test]
fn one_method_is_shown_with_its_options_and_recipes() {
    let home = tempfile::tempdir().unwrap();
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| {
        let said = transcript(home.path(), &["methods", "zero-shot"]);
        insta::assert_snapshot!("methods_of_one", said);
    });
    let document = listed(home.path(), &["tcp"]);
    let details = &row(&document, "tcp")["details"];
    let recipes = details["recipes"].as_array().unwrap();
    assert!(recipes.iter().any(|name| name == "tcp-base2new"));
    let options = details["options"].as_array().unwrap();
    let weight = options.iter().find(|option| option["key"] == "tcp.weight");
    assert_eq!(weight.unwrap()["built_in"], 8.0);
    let unknown = transcript(home.path(), &["methods", "bert"]);
    assert!(unknown.starts_with("exit code: 2"), "{unknown}");
}

#[test]
fn what_was_measured_is_remembered_for_the_same_question() {
    let home = tempfile::tempdir().unwrap();
    let asked = ["--classes", "2", "--shots", "2"];
    let seconds = |document: &Value, name: &str| row(document, name)["seconds_a_class"].as_f64();
    let args = [&["linear-probe", "--measure"][..], &asked].concat();
    let measured = listed(home.path(), &args);
    assert!(measured["seconds_an_image"].as_f64().unwrap() > 0.0);
    let found = seconds(&measured, "linear-probe");
    assert!(found.unwrap() > 0.0);
    let again = listed(home.path(), &asked);
    assert_eq!(seconds(&again, "linear-probe"), found);
    assert_eq!(seconds(&again, "zero-shot"), None);
    let other = listed(home.path(), &["--classes", "3", "--shots", "2"]);
    assert_eq!(seconds(&other, "linear-probe"), None);
}
