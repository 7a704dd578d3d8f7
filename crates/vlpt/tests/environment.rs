//! Environment variables: switches in many words, empty ones say nothing, flags come first.
#![allow(clippy::unwrap_used)]

mod common;

use common::{photos, vlpt};

#[test]
fn a_switch_takes_one_and_zero_and_words() {
    let json = |value: &str| {
        let mut command = vlpt();
        command.env("VLPT_JSON", value).args(["data", "list"]);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{value:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout.starts_with(b"[")
    };
    for on in ["1", "true", "yes", "on", "TRUE"] {
        assert!(json(on), "{on}");
    }
    for off in ["", "0", "false", "no", "off"] {
        assert!(!json(off), "{off:?}");
    }
    let mut command = vlpt();
    let output = command
        .env("VLPT_QUIET", "maybe")
        .args(["data", "list"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("maybe") && said.contains("expected 1"),
        "{said}"
    );
    // a flag needs no value still
    let output = vlpt()
        .env("VLPT_JSON", "0")
        .args(["--json", "data", "list"])
        .output()
        .unwrap();
    assert!(output.stdout.starts_with(b"["));
}

#[test]
fn an_empty_variable_says_nothing() {
    for name in [
        "VLPT_THREADS",
        "VLPT_DECODE_MB",
        "VLPT_FORMAT",
        "VLPT_PRECISION",
        "VLPT_CACHE_DIR",
        "VLPT_MODEL",
    ] {
        let mut command = vlpt();
        command.env("VLPT_MODEL", "mini-clip").env(name, "");
        command.args(["data", "check", "synthetic:shapes", "--no-decode"]);
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{name}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn no_cache_comes_before_the_environment_and_not_beside_cache() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let cache = folder.path().join("features");
    let zeroshot = |flags: &[&str]| {
        let mut command = vlpt();
        command
            .current_dir(folder.path())
            .env("VLPT_CACHE_DIR", &cache);
        command
            .args(["zeroshot", "photos"])
            .args(flags)
            .output()
            .unwrap()
    };
    let output = zeroshot(&["--no-cache"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(!cache.exists());
    assert!(zeroshot(&[]).status.success());
    assert!(cache.exists());
    let output = zeroshot(&["--no-cache", "--cache", "other"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("--no-cache") && said.contains("--cache"),
        "{said}"
    );
}

#[test]
fn a_format_of_the_environment_is_not_for_synthetic_tasks() {
    let check = |flags: &[&str]| {
        let mut command = vlpt();
        command.env("VLPT_FORMAT", "csv");
        command
            .args(["data", "check", "synthetic:shapes", "--no-decode"])
            .args(flags);
        command.output().unwrap()
    };
    assert!(check(&[]).status.success());
    let said = String::from_utf8(check(&["--format", "csv"]).stderr).unwrap();
    assert!(said.contains("--format has no effect"), "{said}");
}
