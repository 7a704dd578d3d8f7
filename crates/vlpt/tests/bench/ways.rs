//! Searches, the submission, and published ways by name.

use serde_json::{Value, json};

use crate::common::{ok, transcript};
use crate::{QUICK, bench, class_folders};

#[test]
fn a_search_is_recorded_and_a_submission_holds_every_probability() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let names: Vec<String> = (0..10).map(|digit: usize| digit.to_string()).collect();
    let classes: Vec<(&str, usize)> = names.iter().map(String::as_str).zip(0..).collect();
    class_folders(&root.join("sets/mnist/train"), &classes, 6);
    class_folders(&root.join("sets/mnist/test"), &classes, 3);
    let args = [
        "elevater",
        "--data",
        "sets",
        "--out",
        "out",
        "--probabilities",
    ];
    // with the 2 shots of the quick settings
    bench(root, &args, &["--search", "small", "--shots", "5"]);
    let mut searched = 0;
    for work in std::fs::read_dir(root.join("out/work")).unwrap() {
        let file = work.unwrap().path().join("search.json");
        let Ok(bytes) = std::fs::read(file) else {
            continue;
        };
        let record: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(record["trials"].as_array().unwrap().len(), 9);
        assert!(record["chosen"]["train.lr"].is_number());
        searched += 1;
    }
    assert_eq!(searched, 4);
    ok(
        root,
        &[
            "bench",
            "submission",
            "out",
            "--method",
            "coop",
            "--shots",
            "5",
        ],
    );
    let checked = ok(root, &["bench", "submission", "out/submission-coop-5.zip"]);
    assert!(
        checked.contains("1 of ELEVATER's 20 tasks: mnist"),
        "{checked}"
    );
    let zip = std::fs::File::open(root.join("out/submission-coop-5.zip")).unwrap();
    let mut zip = zip::ZipArchive::new(zip).unwrap();
    let document = zip.by_name("all_predictions.json").unwrap();
    let submission: Value = serde_json::from_reader(document).unwrap();
    let task = &submission["data"][0];
    assert_eq!(task["dataset_name"], "mnist");
    assert_eq!(task["rnd_seeds"], json!([1, 2]));
    let predictions = task["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    assert_eq!(predictions[0].as_array().unwrap().len(), 8);
    assert_eq!(predictions[0][0].as_array().unwrap().len(), 10);
    assert!(task["num_trainable_params"].as_f64().unwrap() > 0.0);
    // what was not trained has the form of a zero-shot submission
    let plain = [
        "bench",
        "submission",
        "out",
        "--method",
        "zero-shot",
        "--shots",
        "5",
        "--json",
    ];
    let plain: Value = serde_json::from_str(&ok(root, &plain)).unwrap();
    let lacks = plain["lacks"].as_array().unwrap();
    assert!(
        lacks
            .iter()
            .any(|lack| lack == "8 of 10000 test images of mnist"),
        "{lacks:?}"
    );
    let half = root.join("out/half.zip");
    let whole = std::fs::read(root.join("out/submission-coop-5.zip")).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    let refused = transcript(root, &["bench", "submission", "out/half.zip"]);
    assert!(refused.contains("no zip"), "{refused}");
}

/// The last training after ELEVATER's search learns from the validation images too.
#[test]
fn the_search_of_elevater_ends_with_a_training_on_all_images_drawn() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let classes = [("0", 0), ("1", 1)];
    class_folders(&root.join("sets/mnist/train"), &classes, 6);
    class_folders(&root.join("sets/mnist/test"), &classes, 3);
    let search = |out: &str, more: &[&str]| -> (Value, String) {
        let args = [
            "elevater", "--data", "sets", "--out", out, "--search", "elevater",
        ];
        let short = ["--seeds", "1", "--set", "train.epochs=1", "--shots", "5"];
        let quick: Vec<&str> = QUICK
            .iter()
            .copied()
            .filter(|word| *word != "1,2")
            .collect();
        // the seeds and shots of the quick settings are others
        let quick: Vec<&str> = quick
            .into_iter()
            .filter(|word| *word != "--seeds")
            .collect();
        let quick: Vec<&str> = quick
            .into_iter()
            .filter(|word| !["--shots", "2"].contains(word))
            .collect();
        ok(
            root,
            &[&["bench"], &args[..], &quick, &short, more].concat(),
        );
        let works = std::fs::read_dir(root.join(out).join("work")).unwrap();
        let mut works = works.map(|work| work.unwrap().path());
        let work = works
            .find(|work| work.join("search.json").exists())
            .unwrap();
        let record = std::fs::read(work.join("search.json")).unwrap();
        let config = std::fs::read_to_string(work.join("run/config.toml")).unwrap();
        (serde_json::from_slice(&record).unwrap(), config)
    };
    let (record, config) = search("out", &[]);
    let trials = record["trials"].as_array().unwrap();
    // six learning rates, seven weight decays at first and at most eight more
    assert!((6 * 7..=6 * 15).contains(&trials.len()), "{}", trials.len());
    assert_eq!(record["judged_on"], "val");
    assert!(config.contains("merge_val = true\n"), "{config}");
    assert!(config.contains("select = \"last\"\n"), "{config}");
    // the unsound way in the same place
    let ways = ["--with", "tune-on-target,best-test-epoch"];
    let (record, config) = search("unsound", &ways);
    assert_eq!(record["judged_on"], "test");
    assert!(config.contains("select = \"best_test\"\n"), "{config}");
}

#[test]
fn published_ways_are_taken_and_left_by_name_and_stand_under_the_tables() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let classes = [("0", 0), ("1", 1), ("2", 2)];
    class_folders(&root.join("sets/mnist/train"), &classes, 8);
    class_folders(&root.join("sets/mnist/test"), &classes, 3);
    let run_with = |out: &str, more: &[&str]| -> (String, Vec<String>) {
        let args = ["elevater", "--data", "sets", "--out", out, "--seeds", "0,1"];
        let quick = [
            "--own-values",
            "--set",
            "train.epochs=2",
            "--shots",
            "5",
            "--quiet",
        ];
        let printed = ok(root, &[&["bench"], &args[..], &quick, more].concat());
        let works = std::fs::read_dir(root.join(out).join("work")).unwrap();
        let configs = works.filter_map(|work| {
            let file = work.unwrap().path().join("run/config.toml");
            std::fs::read_to_string(file).ok()
        });
        (printed, configs.collect())
    };
    let list = |out: &str, seed: u64| -> Value {
        let file = root.join(out).join(format!("lists/mnist-5-{seed}.json"));
        serde_json::from_slice::<Value>(&std::fs::read(file).unwrap()).unwrap()["train"].take()
    };
    let (printed, configs) = run_with("usual", &[]);
    assert!(!printed.contains("note: with "), "{printed}");
    assert!(!printed.contains("note: without squash"), "{printed}");
    assert_eq!(configs.len(), 2);
    for config in &configs {
        assert!(config.contains("resize = \"squash\"\n"), "{config}");
        assert!(config.contains("mode = \"none\"\n"), "{config}");
        assert!(!config.contains("select = \"best_test\"\n"), "{config}");
        assert!(!config.contains("merge_val"), "{config}");
    }
    assert_ne!(list("usual", 0), list("usual", 1));
    let (printed, configs) = run_with(
        "other",
        &[
            "--with",
            "best-test-epoch,seed-0-ignored",
            "--without",
            "squash,plain-images,split-80-20",
        ],
    );
    for name in [
        "with best-test-epoch",
        "with seed-0-ignored",
        "without squash",
        "without plain-images",
        "without split-80-20",
    ] {
        assert!(printed.contains(&format!("note: {name}:")), "{printed}");
    }
    for config in &configs {
        assert!(config.contains("resize = \"shortest\"\n"), "{config}");
        assert!(config.contains("mode = \"online\"\n"), "{config}");
        assert!(config.contains("select = \"best_test\"\n"), "{config}");
        assert!(config.contains("merge_val = true\n"), "{config}");
    }
    assert_eq!(list("other", 0), list("other", 1));
    // the runs draw as the lists say: that of seed 0 by seed 1
    let drawn_by_another_seed = |config: &&String| {
        let section = config.split("[few_shot]\n").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap_or_default();
        section.lines().any(|line| line == "seed = 1")
    };
    assert_eq!(configs.iter().filter(drawn_by_another_seed).count(), 1);
    let refused = transcript(
        root,
        &[
            "bench",
            "coop",
            "--data",
            "sets",
            "--with",
            "zero-mask",
            "--list",
        ],
    );
    assert!(refused.starts_with("exit code: 2"), "{refused}");
    assert!(refused.contains("each task is learned alone"), "{refused}");
}
