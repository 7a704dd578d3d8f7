//! Benchmarks as a user runs them: small sets in the suites' layouts, drawn by the test.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use common::{ok, run, transcript, vlpt, write_png};
use serde_json::{Value, json};

/// Quick settings: two epochs of two context tokens, few test images.
const QUICK: [&str; 12] = [
    "--own-values",
    "--set",
    "train.epochs=2",
    "--set",
    "coop.context=2",
    "--seeds",
    "1,2",
    "--shots",
    "2",
    "--test-images",
    "8",
    "--quiet",
];

/// A colour for a class, a little different for each image.
fn colour(class: usize, image: usize) -> [u8; 3] {
    let base = [[200, 20, 20], [20, 200, 20], [20, 20, 200], [180, 180, 10]][class % 4];
    base.map(|c: u8| c.saturating_add((image * 3) as u8))
}

/// A set of CoOp's suite: class folders and a split file, `train`, `val` and `test` images a class.
fn coop_set(folder: &Path, images: &str, split: &str, classes: &[&str]) {
    let mut lists: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (label, class) in classes.iter().enumerate() {
        for image in 0..8 {
            let path = format!("{}/{image}.png", class.replace(' ', "_"));
            write_png(&folder.join(images).join(&path), colour(label, image));
            let part = [
                "train", "train", "train", "train", "val", "val", "test", "test",
            ][image];
            lists
                .entry(part)
                .or_default()
                .push(json!([path, label, class]));
        }
    }
    std::fs::write(folder.join(split), json!(lists).to_string()).unwrap();
}

/// EuroSAT and DTD with four classes each.
fn two_sets(root: &Path) {
    let land = ["Forest", "River", "Highway", "Pasture Land"];
    coop_set(
        &root.join("sets/eurosat"),
        "2750",
        "split_zhou_EuroSAT.json",
        &land,
    );
    let textures = ["banded", "dotted", "woven", "zigzagged"];
    let split = "split_zhou_DescribableTextures.json";
    coop_set(&root.join("sets/dtd"), "images", split, &textures);
}

fn class_folders(folder: &Path, classes: &[(&str, usize)], count: usize) {
    for (class, number) in classes {
        for image in 0..count {
            write_png(
                &folder.join(class).join(format!("{image}.png")),
                colour(*number, image),
            );
        }
    }
}

/// Rows of a table by the names of its columns.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned));
    let head: Vec<String> = lines.next().unwrap().collect();
    lines
        .map(|line| head.iter().cloned().zip(line).collect())
        .collect()
}

fn bench(root: &Path, args: &[&str], more: &[&str]) -> String {
    ok(root, &[&["bench"], args, &QUICK, more].concat())
}

#[test]
fn a_benchmark_comes_to_its_tables_whoever_did_the_jobs() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    let methods = ["--data", "sets", "--methods", "coop,linear-probe"];
    let args = |out| [&["coop"], &methods[..], &["--out", out]].concat();
    let printed = bench(root, &args("one"), &[]);
    assert!(printed.contains("average without EuroSAT"), "{printed}");
    assert!(
        printed.contains("without ImageNet, Caltech101"),
        "{printed}"
    );
    let table = rows(&root.join("one/results.csv"));
    let scores: Vec<_> = table
        .iter()
        .filter(|row| row["measure"] == "score")
        .collect();
    // two tasks: zero-shot once, two methods with two seeds
    assert_eq!(scores.len(), 2 + 2 * 2 * 2);
    assert!(table.iter().any(|row| row["measure"] == "ece"));
    assert!(root.join("one/results.parquet").exists());
    assert!(root.join("one/tables/score-2.tex").exists());
    assert!(root.join("one/answers/EuroSAT-coop-2-1.csv").exists());
    let result = std::fs::read(root.join("one/clip_benchmark/EuroSAT-coop-2-1.json")).unwrap();
    let result: Value = serde_json::from_slice(&result).unwrap();
    assert!(result["metrics"]["acc1"].is_number());
    // every method trained on the same images, which stand in a file
    let list = std::fs::read(root.join("one/lists/EuroSAT-2-1.json")).unwrap();
    let list: Value = serde_json::from_slice(&list).unwrap();
    let mut subsets = 0;
    for work in std::fs::read_dir(root.join("one/work")).unwrap() {
        let subset = work.unwrap().path().join("run/subset.json");
        let Ok(subset) = std::fs::read(subset) else {
            continue;
        };
        let subset: Value = serde_json::from_slice(&subset).unwrap();
        if subset["task"] == "EuroSAT" && subset["seed"] == 1 {
            assert_eq!(subset["train"], list["train"]);
            subsets += 1;
        }
    }
    assert_eq!(subsets, 2);

    // two parts, of which one is killed on the way
    let part = |shard: &str| {
        let words = [&["bench"], &args("parts")[..], &QUICK, &["--shard", shard]].concat();
        let mut command = vlpt();
        command
            .current_dir(root)
            .env("XDG_CACHE_HOME", root.join(".cache"))
            .args(words);
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut killed = part("0/2");
    std::thread::sleep(std::time::Duration::from_millis(700));
    killed.kill().unwrap();
    killed.wait().unwrap();
    for shard in ["1/2", "0/2"] {
        assert!(part(shard).wait().unwrap().success(), "{shard}");
    }
    ok(root, &["bench", "table", "parts"]);
    for file in ["results.csv", "results.parquet", "tables/score-2.md"] {
        let of = |folder: &str| std::fs::read(root.join(folder).join(file)).unwrap();
        assert_eq!(of("one"), of("parts"), "{file}");
    }
    // both ways to read on
    let compared = ok(root, &["compare", "one/results.csv", "--against", "coop"]);
    assert!(compared.contains("average of 2"), "{compared}");
    let files = [
        "one/answers/EuroSAT-coop-2-1.csv",
        "one/answers/EuroSAT-linear-probe-2-1.csv",
    ];
    let paired = ok(root, &["compare", files[0], files[1]]);
    assert!(paired.contains("n = 8 test images"), "{paired}");
}

#[test]
fn halves_of_the_classes_give_harmonic_means_of_averages() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    let args = ["base-to-new", "--data", "sets", "--out", "out"];
    let printed = bench(root, &args, &[]);
    assert!(
        printed.contains("Harmonic mean of base and new"),
        "{printed}"
    );
    let table = rows(&root.join("out/results.csv"));
    let average = |measure: &str| {
        let own =
            |row: &&BTreeMap<String, String>| row["measure"] == measure && row["method"] == "coop";
        let values: Vec<f64> = table
            .iter()
            .filter(own)
            .map(|row| row["value"].parse().unwrap())
            .collect();
        assert_eq!(values.len(), 4, "{measure}");
        values.iter().sum::<f64>() / 4.0
    };
    let (base, new) = (average("base"), average("new"));
    let mean = 2.0 * base * new / (base + new);
    let text = std::fs::read_to_string(root.join("out/tables/harmonic-mean-2.csv")).unwrap();
    let line = text.lines().find(|line| line.starts_with("coop,")).unwrap();
    let column = line.split(',').nth(3).unwrap();
    assert_eq!(column, format!("{mean:.1}"), "{text}");
}

#[test]
fn variants_of_imagenet_are_judged_among_their_own_classes_also_with_a_closed_head() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let classes = [
        ("n01440764", 0),
        ("n01443537", 1),
        ("n01484850", 2),
        ("n01491361", 3),
    ];
    let names =
        "n01440764 tench\nn01443537 goldfish\nn01484850 great white shark\nn01491361 tiger shark\n";
    let sets = root.join("sets");
    class_folders(&sets.join("imagenet/images/train"), &classes, 4);
    class_folders(&sets.join("imagenet/images/val"), &classes, 2);
    let numbered = [("0", 0), ("1", 1), ("2", 2), ("3", 3)];
    let v2 = "imagenetv2/imagenetv2-matched-frequency-format-val";
    class_folders(&sets.join(v2), &numbered, 2);
    class_folders(&sets.join("imagenet-sketch/images"), &classes, 2);
    let some = [classes[1], classes[3]];
    class_folders(&sets.join("imagenet-adversarial/imagenet-a"), &some, 2);
    class_folders(&sets.join("imagenet-rendition/imagenet-r"), &some, 2);
    for set in [
        "imagenet",
        "imagenetv2",
        "imagenet-sketch",
        "imagenet-adversarial",
        "imagenet-rendition",
    ] {
        std::fs::write(sets.join(set).join("classnames.txt"), names).unwrap();
    }
    let args = [
        "domain",
        "--data",
        "sets",
        "--methods",
        "coop,linear-probe",
        "--out",
        "out",
    ];
    let printed = bench(root, &args, &[]);
    assert!(printed.contains("average without ImageNet"), "{printed}");
    let table = rows(&root.join("out/results.csv"));
    for task in [
        "ImageNet",
        "ImageNetV2",
        "ImageNet-Sketch",
        "ImageNet-A",
        "ImageNet-R",
    ] {
        let own = |row: &&BTreeMap<String, String>| {
            row["task"] == task && row["method"] == "linear-probe" && row["measure"] == "score"
        };
        let values: Vec<f64> = table
            .iter()
            .filter(own)
            .map(|row| row["value"].parse().unwrap())
            .collect();
        assert_eq!(values.len(), 2, "{task}");
        // four plain colours are told apart by a linear head, and so are two of them
        assert!(
            values.iter().all(|value| *value > 70.0),
            "{task} {values:?}"
        );
    }
    let answers =
        std::fs::read_to_string(root.join("out/answers/ImageNet-A-linear-probe-2-1.csv")).unwrap();
    assert!(!answers.contains("tench"), "{answers}");
}

#[test]
fn one_prompt_for_the_sources_is_tuned_on_to_targets_and_groups() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    for (set, classes) in [
        ("sets/mnist", [("0", 0), ("1", 1)]),
        ("sets/cifar-10", [("airplane", 2), ("automobile", 3)]),
    ] {
        class_folders(&root.join(set).join("train"), &classes, 4);
        class_folders(&root.join(set).join("test"), &classes, 3);
    }
    std::fs::write(root.join("groups.txt"), "# both\nmnist, cifar-10\n").unwrap();
    let args = [
        "cross-task",
        "--data",
        "sets",
        "--groups",
        "groups.txt",
        "--out",
        "out",
    ];
    bench(root, &args, &["--set", "train.select=last"]);
    let table = rows(&root.join("out/results.csv"));
    let count = |method: &str| {
        let own =
            |row: &&BTreeMap<String, String>| row["method"] == method && row["measure"] == "score";
        table.iter().filter(own).count()
    };
    // two targets, two seeds
    for method in [
        "coop",
        "coop (source as it is)",
        "coop (from source)",
        "coop (from source with a group)",
    ] {
        assert_eq!(count(method), 4, "{method}");
    }
    assert_eq!(count("zero-shot"), 2);
}

#[test]
fn what_is_missing_or_broken_is_a_line_and_stops_nothing() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    // a task whose list names an image that is not there, and one whose archive is cut off
    std::fs::remove_file(root.join("sets/dtd/images/woven/3.png")).unwrap();
    let cut = root.join("sets/classification/mnist_20211008");
    std::fs::create_dir_all(&cut).unwrap();
    std::fs::write(cut.join("labels.txt"), "0\n1\n").unwrap();
    for list in ["train.txt", "test.txt"] {
        std::fs::write(cut.join(list), "train.zip@0.png 0\ntrain.zip@1.png 1\n").unwrap();
    }
    let mut zip = std::fs::File::create(cut.join("train.zip")).unwrap();
    zip.write_all(b"PK\x03\x04 half of an archive").unwrap();
    let listed = ok(root, &["bench", "coop", "--data", "sets", "--list"]);
    let line = |name: &str| {
        let own = listed.lines().find(|line| line.starts_with(name));
        own.unwrap_or_else(|| panic!("{listed}")).to_owned()
    };
    assert!(line("EuroSAT ").contains("4 of 10"), "{listed}");
    assert!(
        line("DescribableTextures ").contains("unusable"),
        "{listed}"
    );
    assert!(
        line("DescribableTextures:").contains("woven/3.png"),
        "{listed}"
    );
    assert!(line("SUN397 ").contains("missing"), "{listed}");
    assert!(listed.contains("split_zhou_SUN397.json"), "{listed}");
    let elevater = ok(root, &["bench", "elevater", "--data", "sets", "--list"]);
    let mnist = elevater
        .lines()
        .find(|line| line.starts_with("mnist:"))
        .unwrap();
    assert!(mnist.contains("train.zip"), "{elevater}");
    // the one that is whole is run
    let args = ["coop", "--data", "sets", "--out", "out"];
    let printed = bench(root, &args, &[]);
    assert!(
        printed.contains("note: without ImageNet, Caltech101"),
        "{printed}"
    );
    let table = rows(&root.join("out/results.csv"));
    assert!(table.iter().all(|row| row["task"] == "EuroSAT"));
    // a plan for others, and nothing at hand
    let planned = ok(
        root,
        &[
            "bench",
            "coop",
            "--data",
            "sets",
            "--out",
            "planned",
            "--plan-only",
            "--json",
        ],
    );
    let planned: Value = serde_json::from_str(&planned).unwrap();
    assert_eq!(planned["jobs"], 1 + 5 * 3);
    let none = transcript(
        root,
        &["bench", "domain", "--data", "sets", "--out", "none"],
    );
    assert!(none.starts_with("exit code: 2"), "{none}");
    assert!(none.contains("hint: name the folders"), "{none}");
    let refused = transcript(
        root,
        &[
            "bench",
            "base-to-new",
            "--data",
            "sets",
            "--methods",
            "linear-probe",
            "--out",
            "no",
        ],
    );
    assert!(
        refused.contains("knows the classes it was trained on"),
        "{refused}"
    );
}

#[test]
fn a_search_is_recorded_and_a_submission_holds_every_probability() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let classes = [("0", 0), ("1", 1), ("2", 2)];
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
    let text = std::fs::read(root.join("out/submission-coop-5.json")).unwrap();
    let submission: Value = serde_json::from_slice(&text).unwrap();
    let task = &submission["data"][0];
    assert_eq!(task["dataset_name"], "mnist");
    assert_eq!(task["rnd_seeds"], json!([1, 2]));
    let predictions = task["predictions"].as_array().unwrap();
    assert_eq!(predictions.len(), 2);
    assert_eq!(predictions[0].as_array().unwrap().len(), 8);
    assert_eq!(predictions[0][0].as_array().unwrap().len(), 3);
    assert!(task["num_trainable_params"].as_u64().unwrap() > 0);
}

#[test]
fn time_and_memory_are_told_before_the_first_job() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    two_sets(root);
    let args = [
        "bench",
        "coop",
        "--data",
        "sets",
        "--own-values",
        "--dry-run",
        "--json",
    ];
    let found: Value = serde_json::from_str(&ok(root, &args)).unwrap();
    assert_eq!(found["jobs"], 2 + 2 * 5 * 3);
    assert!(found["estimate"]["seconds"].as_f64().unwrap() > 0.0);
    assert!(found["estimate"]["job_memory"].as_u64().unwrap() > 0);
    assert_eq!(
        std::fs::read_dir(root)
            .unwrap()
            .filter(|e| e.as_ref().unwrap().file_name() == "out")
            .count(),
        0
    );
    assert!(
        !run(root, &["bench", "coop", "--data", "sets"])
            .status
            .success()
    );
}

/// ELEVATER's and CoOp's own files, at small size: figures are committed under `docs/results`.
#[test]
fn real_sets_are_found_in_their_layouts() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    if !shared.is_dir() {
        eprintln!("SKIPPED: no ../shared/data beside the checkout");
        return;
    }
    let root = tempfile::tempdir().unwrap();
    let data = shared.display().to_string();
    let listed = |name: &str| -> BTreeMap<String, String> {
        let text = ok(
            root.path(),
            &["bench", name, "--data", &data, "--list", "--json"],
        );
        let listed: Value = serde_json::from_str(&text).unwrap();
        let tasks = listed["tasks"].as_array().unwrap().iter();
        let found = tasks.filter(|task| task["state"] == "found");
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        found
            .map(|task| (word(&task["name"]), word(&task["layout"])))
            .collect()
    };
    let coop = listed("coop");
    for name in ["EuroSAT", "Caltech101", "DescribableTextures"] {
        assert_eq!(coop[name], "coop");
    }
    let elevater = listed("elevater");
    assert_eq!(elevater["mnist"], "elevater");
    assert_eq!(elevater["gtsrb"], "elevater");
    assert_eq!(elevater["cifar-10"], "webdataset");
    assert_eq!(elevater["cifar-100"], "parquet");
}
