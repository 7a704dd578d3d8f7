//! `vlpt inspect`, run as a user would run it: what it prints, what it writes, what it refuses.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{ok, photos, run, transcript};
use serde_json::Value;

/// A short run on two colours.
fn train(folder: &Path, method: &str, settings: &[&str]) -> String {
    let out = format!("runs/{method}");
    let method = format!("method={method}");
    let mut args = vec!["train", "photos", "--shots", "2", "--epochs", "1"];
    for setting in [method.as_str()].iter().chain(settings) {
        args.extend(["--set", setting]);
    }
    args.extend(["--out", &out]);
    ok(folder, &args);
    out
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let mut all = vec!["--json", "inspect"];
    all.extend(args);
    serde_json::from_str(&ok(folder, &all)).unwrap()
}

#[test]
fn words_of_a_context_that_hardly_moved_are_those_it_started_from() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let settings = ["coop.init=a photo of a", "train.lr=1e-9"];
    let coop = train(folder.path(), "coop", &settings);
    let read = json(folder.path(), &["words", &coop]);
    let nearest: Vec<&str> = read["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["by_distance"][0]["token"].as_str().unwrap())
        .collect();
    assert_eq!(nearest, ["a</w>", "photo</w>", "of</w>", "a</w>"]);
    assert!(read["median_distance"].as_f64().unwrap() < 1e-5);
    assert!(read["yardstick"]["median_distance"].as_f64().unwrap() > 0.01);
    let text = ok(folder.path(), &["inspect", "words", &coop]);
    assert!(
        text.contains("they do not explain what was learned"),
        "{text}"
    );

    let vpt = train(folder.path(), "vpt", &[]);
    let said = transcript(folder.path(), &["inspect", "words", &vpt]);
    let with = vlpt_methods::names(|spec| spec.flags.context.is_some());
    assert!(with.contains(&"coop") && !with.contains(&"vpt"), "{with:?}");
    assert_eq!(
        said,
        format!(
            "exit code: 1\n--- stdout\n--- stderr\nerror: runs/vpt/prompt: the method `vpt` learns no \
             text tokens: there are no words to look for\nhint: words can be read for {}; for visual \
             prompts see `vlpt inspect attention`\n",
            with.join(", ")
        )
    );

    // the same prompt twice is the same in everything; two methods have no parameters in common
    let same = json(folder.path(), &["similarity", &coop, &coop, &vpt]);
    for matrix in same["matrices"].as_array().unwrap() {
        let values = &matrix["values"];
        if let Some(twice) = values[0][1].as_f64() {
            assert!((twice - 1.0).abs() < 1e-9, "{matrix}");
        }
        assert_eq!(values[0][2], values[2][0]);
    }
    assert_eq!(same["matrices"][0]["measure"], "parameters");
    assert!(same["matrices"][0]["values"][0][2].is_null());
    let said = transcript(folder.path(), &["inspect", "similarity", &coop]);
    assert!(
        said.starts_with("exit code: 2\n") && said.contains("hint:"),
        "{said}"
    );
}

#[test]
fn attention_is_shared_out_drawn_and_repeated_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let vpt = train(folder.path(), "vpt", &["vpt.count=3"]);
    let look = |out: &str, threads: &str| {
        let args = [
            "attention",
            "photos/red/1.png",
            "--prompt",
            &vpt,
            "--out",
            out,
            "--threads",
            threads,
        ];
        json(folder.path(), &args)
    };
    let (one, two) = (look("one", "1"), look("two", "2"));
    assert_eq!(one["visual_prompts"], 3);
    let image = &one["images"][0];
    for part in image["all"].as_array().unwrap().iter().chain([image]) {
        let share = |name: &str| part[name].as_f64().unwrap();
        let sum = share("itself") + share("patches") + share("prompts");
        assert!((sum - 1.0).abs() < 1e-6 && share("prompts") > 0.0, "{part}");
    }
    assert_eq!(one["images"][0]["all"], two["images"][0]["all"]);
    for name in ["001-1.png", "shares.csv"] {
        let bytes = |out: &str| fs::read(folder.path().join(out).join(name)).unwrap();
        assert!(bytes("one") == bytes("two"), "{name}");
    }
    let png = image::open(folder.path().join("one/001-1.png")).unwrap();
    assert!(png.width() > 3 * 240);

    let args = ["inspect", "attention", "photos/red/1.png", "--block", "99"];
    let output = run(folder.path(), &args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("no block 99: expected 1 to 8") && said.contains("hint:"),
        "{said}"
    );
}

#[test]
fn variances_meet_the_gains_of_a_table() {
    let folder = tempfile::tempdir().unwrap();
    photos(folder.path());
    let table = "task,method,seed,shots,zero_shot,value\nphotos,coop,0,16,0.25,0.5\n";
    fs::write(folder.path().join("results.csv"), table).unwrap();
    let args = [
        "variance",
        "photos",
        "--results",
        "results.csv",
        "--out",
        "out",
    ];
    let found = json(folder.path(), &args);
    let row = &found["tasks"][0];
    assert_eq!(row["gains"][0]["points"], 25.0);
    let visual = row["visual"].as_f64().unwrap();
    assert!(visual > 0.0 && visual < 1.0);
    assert!(row["text"].as_f64().unwrap() > 0.0);
    assert!(
        found["correlations"][0]["rho"].is_null(),
        "one data set has no rank"
    );
    let svg = fs::read_to_string(folder.path().join("out/variance.svg")).unwrap();
    assert!(svg.contains("text (coop): rho none, n 1"));
    assert!(folder.path().join("out/variance.csv").exists());

    fs::write(folder.path().join("bad.csv"), "task,method\na,b\n").unwrap();
    let args = ["inspect", "variance", "photos", "--results", "bad.csv"];
    let said = transcript(folder.path(), &args);
    assert!(
        said.starts_with("exit code: 1\n")
            && said.contains("bad.csv: ")
            && said.contains("hint: expected the columns task, method, seed, shots"),
        "{said}"
    );
}
