//! Every method of the list is in the command line, the configuration, the import and a study, each
//! as its description says; runs and their pages are in `methods.rs`.

#![allow(clippy::unwrap_used)]

mod common;

use common::{ok, photos, run, transcript};
use serde_json::Value;
use vlpt_methods::import::importable;
use vlpt_methods::{METHODS, names};

#[test]
fn the_command_line_lists_every_method() {
    let home = tempfile::tempdir().unwrap();
    for verb in [&["train"][..], &["multitask", "source"]] {
        let text = ok(home.path(), &[verb, &["--help"]].concat());
        let mut lines = text.lines().map(str::trim);
        for spec in METHODS {
            // in the order of the list
            let line = lines.find(|line| {
                line.strip_prefix("- ")
                    .and_then(|line| line.strip_prefix(spec.name))
                    .is_some_and(|rest| rest.starts_with(':') && rest.ends_with(spec.summary))
            });
            assert!(line.is_some(), "{}: {}\n{text}", spec.name, spec.summary);
        }
    }
}

#[test]
fn the_configuration_has_the_tables_of_each_method_and_no_other() {
    let home = tempfile::tempdir().unwrap();
    for spec in METHODS {
        let args = [
            "train",
            "photos",
            "--method",
            spec.name,
            // which has no options of a method
            "--recipe",
            "quick",
            "--print-config",
            "--json",
        ];
        let printed: Value = serde_json::from_str(&ok(home.path(), &args)).unwrap();
        let section = printed["method"].as_object().unwrap();
        assert_eq!(section["name"], spec.name);
        let mut found: Vec<&str> = section.keys().map(String::as_str).collect();
        let mut expected = vec!["name"];
        expected.extend(spec.tables.iter().map(|table| table.name));
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        for table in spec.tables {
            assert_eq!(
                section[table.name],
                table.default().to_json(),
                "{}",
                spec.name
            );
        }
    }
}

#[test]
fn the_import_knows_the_methods_that_have_one() {
    let home = tempfile::tempdir().unwrap();
    photos(home.path());
    let help = ok(home.path(), &["import", "--help"]);
    for (spec, import) in importable() {
        let line = help.lines().find(|line| line.ends_with(import.tensors));
        let line = line.unwrap_or_else(|| panic!("{} is not in\n{help}", import.tensors));
        assert_eq!(line.split_whitespace().next(), Some(spec.name));
    }
    let known = names(|spec| spec.import.is_some()).join(", ");
    let one_line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(one_line.contains(&format!("alone: {known} [")), "{help}");
    // What a method cannot import is refused with the list of those that can.
    let golden = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../vlpt-adapter/tests/golden/checkpoints/coop-legacy.pth.tar"
    );
    let without = names(|spec| spec.import.is_none());
    assert!(!without.is_empty());
    for name in without {
        let args = [
            "import", golden, "--data", "photos", "--out", "out", "--method", name,
        ];
        let said = transcript(home.path(), &args);
        let expected = format!("there is no method \"{name}\" to import: expected one of {known}");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn a_study_takes_every_method_that_learns_prompts() {
    let home = tempfile::tempdir().unwrap();
    for spec in METHODS {
        let out = format!("study-{}", spec.name);
        let args = [
            "study",
            "plan",
            "--task",
            "synthetic:stripes",
            "--task",
            "synthetic:shapes",
            "--method",
            spec.name,
            "--shots",
            "2",
            "--model",
            "mini-clip",
            "--out",
            &out,
            "--json",
        ];
        let output = run(home.path(), &args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if spec.is_baseline() {
            assert!(!output.status.success(), "{}", spec.name);
            let expected = format!("found \"{}\"", spec.name);
            let refused = said.contains("a baseline transfers nothing");
            assert!(refused && said.contains(spec.name), "{expected}: {said}");
            continue;
        }
        assert!(output.status.success(), "{}: {said}", spec.name);
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let kinds = plan["kinds"].as_array().unwrap();
        assert!(kinds.iter().any(|row| row["method"] == spec.name), "{plan}");
    }
}
