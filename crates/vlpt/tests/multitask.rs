//! The stages of multitask tuning by the binary, on synthetic tasks and the embedded model.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{ok, run, transcript};
use serde_json::Value;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn result(folder: &Path, args: &[&str]) -> Value {
    let all = [args, &["--json", "--quiet"]].concat();
    json(&ok(folder, &all))
}

/// Few images and epochs.
const SHORT: [&str; 4] = ["--shots", "1", "--epochs", "2"];

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings
}

#[test]
fn a_source_prompt_is_tuned_adapted_and_evaluated_on_its_members() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let source = [
        &[
            "multitask",
            "source",
            "--task",
            "synthetic:shapes",
            "--task",
            "synthetic:stripes",
            "--seeds",
            "0,1",
            "--context",
            "4",
            "--label-space",
            "per-task",
            "--mix",
            "one-task-per-batch",
            "--out",
            "source",
        ][..],
        &SHORT,
    ]
    .concat();
    let made = result(folder, &source);
    assert_eq!(made["tasks"], serde_json::json!(["shapes", "stripes"]));
    assert_eq!(made["runs"].as_array().unwrap().len(), 2);
    let adapter = fs_err::read_to_string(folder.join("source/prompt/adapter_config.json")).unwrap();
    let adapter = json(&adapter);
    assert_eq!(adapter["tasks"][1]["name"], "stripes");
    assert_eq!(adapter["tasks"][1]["classes"]["end"], adapter["classes"]);
    let again = result(folder, &source);
    assert_eq!(again["runs"][1]["already_finished"], true);

    let eval = ["eval", "source", "synthetic:stripes", "--bootstrap", "10"];
    let evaluation = result(folder, &eval);
    let own = evaluation["classes"].as_array().unwrap().len() as u64;
    assert!(own < adapter["classes"].as_u64().unwrap());
    let said = run(folder, &eval);
    let said = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(
        said.contains("stripes is one of the tasks shapes+stripes"),
        "{said}"
    );

    // The method and its options are those of the prompt.
    let adapt = [
        &[
            "multitask",
            "adapt",
            "synthetic:textures",
            "--init-from",
            "source",
            "--out",
            "adapted",
        ][..],
        &SHORT,
    ]
    .concat();
    result(folder, &adapt);
    let config = fs_err::read_to_string(folder.join("adapted/config.toml")).unwrap();
    assert!(config.contains("init_from = \"source\""), "{config}");
    assert!(config.contains("context = 4"), "{config}");
    fs_err::remove_dir_all(folder.join("source")).unwrap();
    assert_eq!(
        result(folder, &["train", "--resume", "adapted"])["already_finished"],
        true
    );
}

#[test]
fn adapting_beside_scratch_gives_what_two_runs_give() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let pair = ["--task", "synthetic:shapes", "--task", "synthetic:stripes"];
    let source = ["multitask", "source", "--context", "4", "--out", "source"];
    result(folder, &[&source[..], &pair, &SHORT].concat());
    let start = ["--init-from", "source"];
    let adapt = ["multitask", "adapt", "synthetic:textures", "--scratch"];
    let both = [&adapt[..], &start, &SHORT, &["--out", "both"]].concat();
    let made = result(folder, &both);
    assert_eq!(result(folder, &both), made, "given again");

    let train = ["train", "synthetic:textures", "--context", "4"];
    result(
        folder,
        &[&train[..], &SHORT, &["--out", "scratch"]].concat(),
    );
    let alone = [&train[..], &start, &SHORT, &["--out", "adapted"]].concat();
    result(folder, &alone);
    let value = |args: &[&str]| {
        let more = ["synthetic:textures", "--bootstrap", "1"];
        result(folder, &[args, &more].concat())["value"].clone()
    };
    assert_eq!(
        made["source"],
        value(&["eval", "source", "--classes-of", "data"])
    );
    assert_eq!(made["scratch"], value(&["eval", "scratch"]));
    assert_eq!(made["adapted"], value(&["eval", "adapted"]));
    assert_eq!(made["zero_shot"], value(&["zeroshot"]));
    assert!(folder.join("both/scratch/report.html").is_file());
    let printed = ok(folder, &both);
    assert!(printed.contains("tuned from scratch"), "{printed}");

    // each start at a rate of its own
    let rates = ["--lr", "0.5", "--scratch-set", "train.lr=0.25"];
    let parted = [&adapt[..], &start, &SHORT, &rates, &["--out", "parted"]].concat();
    result(folder, &parted);
    for (run, rate) in [("parted", "lr = 0.5\n"), ("parted/scratch", "lr = 0.25\n")] {
        let config = fs_err::read_to_string(folder.join(run).join("config.toml")).unwrap();
        assert!(config.contains(rate), "{run}: {config}");
    }
}

#[test]
fn joint_tuning_shows_every_member_beside_its_own_prompt() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let joint = [
        &[
            "multitask",
            "joint",
            "--task",
            "synthetic:shapes",
            "--task",
            "synthetic:stripes",
            "--single",
            "--out",
            "joint",
        ][..],
        &SHORT,
    ]
    .concat();
    let made = result(folder, &joint);
    let members = made["members"].as_array().unwrap();
    assert_eq!(members.len(), 2);
    for (member, name) in members.iter().zip(["shapes", "stripes"]) {
        assert_eq!(member["task"], name);
        for key in ["zero_shot", "single", "joint"] {
            assert!(
                (0.0..=1.0).contains(&member[key].as_f64().unwrap()),
                "{key}"
            );
        }
        let alone = result(
            folder,
            &[
                "eval",
                &format!("joint/single/{name}"),
                &format!("synthetic:{name}"),
                "--bootstrap",
                "10",
            ],
        );
        assert_eq!(alone["value"], member["single"]);
    }
    let printed = ok(folder, &joint);
    for word in ["task", "single %", "joint %", "gain", "shapes", "mean"] {
        assert!(printed.contains(word), "{printed}");
    }
    assert!(folder.join("joint/joint.json").is_file());
    assert!(folder.join("joint/report.html").is_file());
}

#[test]
fn what_cannot_be_done_is_said_before_any_work() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let train = [
        "train",
        "synthetic:shapes",
        "--context",
        "4",
        "--out",
        "coop",
    ];
    ok(folder, &[&train[..], &SHORT].concat());
    let two = [
        "--task",
        "synthetic:shapes",
        "--task",
        "synthetic:stripes",
        "--out",
        "run",
    ];
    let source = |more: &[&'static str]| [&["multitask", "source"], &two[..], more].concat();
    let adapt = |more: &[&'static str]| {
        let first = ["multitask", "adapt", "synthetic:stripes", "--out", "run"];
        [&first[..], more].concat()
    };
    let cases: [(&str, Vec<&str>); 9] = [
        ("no_task", vec!["multitask", "source", "--out", "run"]),
        (
            "same_name_twice",
            [
                &["multitask", "source", "--task", "synthetic:shapes"],
                &two[..],
            ]
            .concat(),
        ),
        (
            "unknown_label_space",
            source(&["--label-space", "per-taks"]),
        ),
        ("unknown_mix", source(&["--mix", "even"])),
        ("temperature_of_nothing", source(&["--temperature", "0"])),
        ("baseline_of_many", source(&["--method", "linear-probe"])),
        ("seed_twice", source(&["--seeds", "1,1"])),
        ("init_from_nowhere", adapt(&["--init-from", "absent"])),
        (
            "init_from_another_method",
            adapt(&["--init-from", "coop", "--method", "vpt"]),
        ),
    ];
    for (name, args) in cases {
        let said = transcript(folder, &args);
        assert!(!folder.join("run").exists(), "{said}");
        settings().bind(|| insta::assert_snapshot!(name, said));
    }
    let longer = adapt(&["--init-from", "coop", "--context", "8"]);
    let said = transcript(folder, &longer);
    settings().bind(|| insta::assert_snapshot!("init_from_other_shapes", said));
}
