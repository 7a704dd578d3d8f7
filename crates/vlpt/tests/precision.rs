//! The number format of the towers, from the command line to the run folder.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use common::{contents, vlpt};
use serde_json::Value;
use vlpt_kernels::{Isa, Precision};

/// `vlpt` with these words and variables, without those that the tests usually set for it.
fn with(folder: &Path, variables: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command: Command = vlpt();
    command.env_remove("VLPT_PRECISION").current_dir(folder);
    command.env("XDG_CACHE_HOME", folder.join(".cache"));
    command.envs(variables.iter().copied());
    command.arg("--quiet").args(args).output().unwrap()
}

fn ok(folder: &Path, variables: &[(&str, &str)], args: &[&str]) -> String {
    let output = with(folder, variables, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{variables:?} {args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// A short training on a synthetic task.
fn train<'a>(method: &'a str, epochs: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut words = vec!["train", "synthetic:shapes", "--method", method];
    words.extend([
        "--shots", "4", "--lr", "0.05", "--epochs", epochs, "--out", out,
    ]);
    words.extend(more);
    words
}

fn config(folder: &Path, run: &str) -> String {
    std::fs::read_to_string(folder.join(run).join("config.toml")).unwrap()
}

#[test]
fn an_f32_run_has_the_same_bytes_with_every_kind_of_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let vectors = |level: &Isa| *level >= Isa::Avx2;
    let levels: Vec<Isa> = Isa::available().into_iter().filter(vectors).collect();
    for method in ["coop", "vpt"] {
        let mut first: Option<BTreeMap<PathBuf, Vec<u8>>> = None;
        for level in &levels {
            let out = format!("{method}-{level}");
            let level = level.to_string();
            let variables = [("VLPT_KERNELS", level.as_str())];
            let words = train(method, "3", &out, &["--precision", "f32"]);
            ok(folder.path(), &variables, &words);
            // the page names its own folder
            std::fs::remove_file(folder.path().join(&out).join("report.html")).unwrap();
            let found = contents(&folder.path().join(&out));
            let first = first.get_or_insert_with(|| found.clone());
            for (name, bytes) in &found {
                assert!(first[name] == *bytes, "{out}: {} differs", name.display());
            }
        }
    }
}

#[test]
fn features_that_one_level_cached_are_not_taken_for_those_of_another() {
    let folder = tempfile::tempdir().unwrap();
    let run = |out: &str, level: Isa, more: &[&str]| {
        let level = level.to_string();
        let words = train("coop", "1", out, &[&["--precision", "f32"], more].concat());
        ok(folder.path(), &[("VLPT_KERNELS", &level)], &words);
        contents(&folder.path().join(out).join("prompt"))
    };
    let best = Isa::available().into_iter().max().unwrap();
    let portable = run("portable", Isa::Portable, &[]);
    let after = run("after", best, &[]);
    assert_eq!(after, run("alone", best, &["--no-cache"]));
    assert!(best == Isa::Portable || after != portable, "they do differ");
}

#[test]
fn bf16_runs_end_to_end_and_comes_out_near_f32() {
    let folder = tempfile::tempdir().unwrap();
    let value = |verb: &[&str]| {
        let words = [verb, &["synthetic:stripes", "--no-cache", "--json"]].concat();
        let result: Value = serde_json::from_str(&ok(folder.path(), &[], &words)).unwrap();
        result["value"].as_f64().unwrap()
    };
    for method in ["coop", "vlpt"] {
        let mut values = Vec::new();
        for precision in ["f32", "bf16"] {
            let out = format!("{method}-{precision}");
            let words = [
                "train",
                "synthetic:stripes",
                "--no-cache",
                "--method",
                method,
                "--set",
                "coop.class_specific=true",
                "--shots",
                "8",
                "--lr",
                "0.05",
                "--epochs",
                "10",
                "--precision",
                precision,
                "--out",
                &out,
            ];
            ok(folder.path(), &[], &words);
            let line = format!("precision = \"{precision}\"");
            assert!(config(folder.path(), &out).contains(&line));
            let adapter = folder.path().join(&out).join("prompt/adapter_config.json");
            let adapter = std::fs::read_to_string(adapter).unwrap();
            let adapter: Value = serde_json::from_str(&adapter).unwrap();
            assert_eq!(adapter["precision"], precision);
            // a prompt of one format in both
            for judged in ["f32", "bf16"] {
                values.push(value(&["eval", &out, "--precision", judged]));
            }
        }
        eprintln!("{method}: {values:?}");
        let low = values.iter().copied().fold(1.0, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        assert!(high - low < 0.05, "{method}: {values:?}");
        let plain = value(&["zeroshot"]);
        assert!(low > plain + 0.2, "{method}: {values:?} over {plain}");
    }
}

#[test]
fn the_machine_decides_once_and_the_run_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let portable = [("VLPT_KERNELS", "portable")];
    ok(folder, &portable, &train("coop", "1", "portable", &[]));
    assert!(config(folder, "portable").contains("precision = \"f32\""));
    ok(folder, &[], &train("coop", "1", "best", &[]));
    let fastest = format!("precision = \"{}\"", Precision::fastest());
    assert!(config(folder, "best").contains(&fastest));
    let f32 = [("VLPT_PRECISION", "f32")];
    ok(folder, &f32, &train("coop", "1", "told", &[]));
    assert!(config(folder, "told").contains("precision = \"f32\""));

    // bf16 on a machine that has no products of its own for it
    ok(
        folder,
        &portable,
        &train("coop", "1", "bf16", &["--precision", "bf16"]),
    );
    for variables in [&portable, &f32] {
        let text = ok(folder, variables, &["train", "--resume", "bf16"]);
        assert!(text.contains("was finished already"), "{text}");
    }
    let words = ["train", "--resume", "bf16", "--precision", "f32"];
    let refused = with(folder, &[], &words);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "{said}");
    assert!(
        said.contains("compute.precision = \"bf16\", now it is \"f32\""),
        "{said}"
    );
}

#[test]
fn a_study_is_planned_in_one_number_format_and_done_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let ids = |precision: &str| {
        let words = [
            "study",
            "plan",
            "--task",
            "synthetic:shapes",
            "--task",
            "synthetic:stripes",
            "--shots",
            "1",
            "--set",
            "train.epochs=1",
            "--test-images",
            "20",
            "--out",
            precision,
            "--precision",
            precision,
        ];
        ok(folder, &[], &words);
        let plan = std::fs::read_to_string(folder.join(precision).join("plan.jsonl")).unwrap();
        assert!(
            plan.contains(&format!("\"precision\":\"{precision}\"")),
            "{plan}"
        );
        let line = |line: &str| serde_json::from_str::<Value>(line).unwrap()["id"].clone();
        plan.lines().map(line).collect::<Vec<_>>()
    };
    let (exact, rounded) = (ids("f32"), ids("bf16"));
    assert_eq!(exact.len(), rounded.len());
    assert!(exact.iter().all(|id| !rounded.contains(id)));
    // a worker computes as planned, whatever is usual where it is
    ok(
        folder,
        &[("VLPT_PRECISION", "f32")],
        &["study", "run", "bf16"],
    );
    let configs: Vec<String> = contents(&folder.join("bf16"))
        .into_iter()
        .filter(|(name, _)| name.ends_with("run/config.toml"))
        .map(|(_, bytes)| String::from_utf8(bytes).unwrap())
        .collect();
    assert!(!configs.is_empty());
    for config in configs {
        assert!(config.contains("precision = \"bf16\""), "{config}");
    }
    let other = [
        "study",
        "plan",
        "--task",
        "synthetic:shapes",
        "--task",
        "synthetic:stripes",
        "--out",
        "other",
        "--set",
        "compute.precision=f32",
    ];
    let refused = with(folder, &[], &other);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn the_doctor_names_level_kernels_and_number_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let portable = [("VLPT_KERNELS", "portable")];
    let text = ok(folder, &portable, &["doctor", "--threads", "2"]);
    let rows = [
        "kernels",
        "f32 products",
        "bf16 products",
        "attention",
        "rows",
        "precision",
        "threads",
    ];
    let known = text.lines().filter(|line| {
        rows.iter()
            .any(|row| line.starts_with(&format!("{row:15} ")))
    });
    let known: Vec<&str> = known.collect();
    let mut settings = insta::Settings::clone_current();
    settings.add_filter("the processor has [a-z0-9-]+", "the processor has [level]");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!("doctor_portable", known.join("\n")));

    let best: Value = serde_json::from_str(&ok(folder, &[], &["doctor", "--json"])).unwrap();
    let level = Isa::available().pop().unwrap();
    assert_eq!(best["level"], level.to_string());
    assert_eq!(best["precision"], Precision::fastest().to_string());
}

#[test]
fn kernels_that_there_are_not_are_refused_by_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    for verb in [
        &["doctor"][..],
        &["data", "list"],
        &["zeroshot", "synthetic:shapes"],
    ] {
        let refused = with(folder.path(), &[("VLPT_KERNELS", "sse9")], verb);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{said}");
        for part in ["VLPT_KERNELS=sse9", "portable", "unset VLPT_KERNELS"] {
            assert!(said.contains(part), "{said}");
        }
    }
}
