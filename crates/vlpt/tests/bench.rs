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

/// An image whose name ends in `.jpg`, whatever it is.
fn write_jpg(path: &Path, colour: [u8; 3]) {
    let image = path.with_extension("png");
    write_png(&image, colour);
    std::fs::rename(image, path).unwrap();
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
    // probabilities as they are, and divided by what held-out images ask for where there are some
    let methods_with = |measure: &str| -> std::collections::BTreeSet<String> {
        let own = table.iter().filter(|row| row["measure"] == measure);
        own.map(|row| row["method"].clone()).collect()
    };
    assert_eq!(methods_with("ece").len(), 3);
    assert!(
        methods_with("ece-scaled")
            .iter()
            .eq(["coop", "linear-probe"])
    );
    let curves = rows(&root.join("one/reliability.csv"));
    assert!(curves.iter().any(|row| row["temperature"].is_empty()));
    let scaled = curves.iter().filter(|row| !row["temperature"].is_empty());
    assert!(scaled.clone().count() > 0);
    for row in scaled {
        assert!(row["temperature"].parse::<f64>().unwrap() > 0.0);
        assert_ne!(row["method"], "zero-shot");
    }
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
    // at moments that differ from one test to the next, as far as the clock does
    let clock = std::time::SystemTime::now();
    let clock = clock.duration_since(std::time::UNIX_EPOCH).unwrap();
    let mut random = u64::from(clock.subsec_nanos());
    for shard in ["0/2", "1/2", "0/2"] {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let wait = 100 + (random >> 33) % 1500;
        let mut killed = part(shard);
        std::thread::sleep(std::time::Duration::from_millis(wait));
        killed.kill().unwrap();
        killed.wait().unwrap();
    }
    for shard in ["1/2", "0/2"] {
        assert!(part(shard).wait().unwrap().success(), "{shard}");
    }
    for folder in ["one", "parts"] {
        ok(root, &["bench", "table", folder, "--against", "coop"]);
    }
    let tests = rows(&root.join("one/tables/score-by-image-2.csv"));
    let probe = tests
        .iter()
        .find(|row| row["method"] == "linear-probe")
        .unwrap();
    assert_eq!((probe["n"].as_str(), probe["seeds"].as_str()), ("8", "2"));
    for file in [
        "results.csv",
        "results.parquet",
        "reliability.csv",
        "tables/score-2.md",
        "tables/calibration-2.csv",
        "tables/score-by-image-2.csv",
        "figures/ranks-score-2.svg",
        "figures/reliability-scaled-2.svg",
    ] {
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
    let both = [&["bench"], &args[..], &["--search", "small"]].concat();
    let refused = transcript(root, &both);
    assert!(
        refused.contains("leave --search or --groups out"),
        "{refused}"
    );
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
    // a label map that lacks a class of the lists
    let wrong = root.join("sets/classification/gtsrb_20210923");
    std::fs::create_dir_all(&wrong).unwrap();
    std::fs::write(wrong.join("labelmap.txt"), "stop\nyield\n").unwrap();
    let zip = std::fs::File::create(wrong.join("train.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(zip);
    for name in ["0.png", "1.png"] {
        let image = root.join(name);
        write_png(&image, colour(0, 0));
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&std::fs::read(image).unwrap()).unwrap();
    }
    zip.finish().unwrap();
    for list in ["train.txt", "test.txt"] {
        std::fs::write(wrong.join(list), "train.zip@0.png 0\ntrain.zip@1.png 7\n").unwrap();
    }
    let elevater = ok(root, &["bench", "elevater", "--data", "sets", "--list"]);
    let of = |name: &str| {
        let own = elevater.lines().find(|line| line.starts_with(name));
        own.unwrap_or_else(|| panic!("{elevater}"))
    };
    assert!(of("mnist:").contains("train.zip"), "{elevater}");
    assert!(of("gtsrb:").contains("label 7"), "{elevater}");
    // what a download is compared with: the hash of the split file, where it is known
    assert!(
        listed.contains("check: SHA-256 of split_zhou_UCF101.json is 875b6350"),
        "{listed}"
    );
    assert!(listed.contains("check: by the counts above"), "{listed}");
    assert!(
        line("EuroSAT:").contains("is not the published file"),
        "{listed}"
    );
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

/// What torchvision's `download=True` leaves: the authors' archives, unpacked under its names.
#[test]
fn sets_as_torchvision_unpacks_them_are_found() {
    let root = tempfile::tempdir().unwrap();
    let sets = root.path().join("sets");
    let classes = |folder: &str, classes: [(&str, usize); 2]| {
        class_folders(&sets.join(folder), &classes, 8);
    };
    classes(
        "caltech101/101_ObjectCategories",
        [("accordion", 0), ("airplanes", 1)],
    );
    classes("dtd/dtd/images", [("banded", 0), ("woven", 1)]);
    classes("food-101/images", [("apple_pie", 0), ("waffles", 1)]);
    classes("eurosat/2750", [("Forest", 0), ("River", 1)]);
    let (mut own, mut test) = (String::new(), String::new());
    for (number, breed) in [(1, "Abyssinian"), (2, "beagle")] {
        for image in 0..8 {
            let name = format!("{breed}_{image}");
            let file = sets
                .join("oxford-iiit-pet/images")
                .join(format!("{name}.jpg"));
            write_jpg(&file, colour(number, image));
            let list = if image < 6 { &mut own } else { &mut test };
            *list += &format!("{name} {number} 1 1\n");
        }
    }
    let annotations = sets.join("oxford-iiit-pet/annotations");
    std::fs::create_dir_all(&annotations).unwrap();
    std::fs::write(annotations.join("trainval.txt"), own).unwrap();
    std::fs::write(annotations.join("test.txt"), test).unwrap();
    let aircraft = sets.join("fgvc-aircraft-2013b/data");
    for (part, ids) in [
        ("train", ["1", "2"]),
        ("val", ["3", "4"]),
        ("test", ["5", "6"]),
    ] {
        for (class, id) in ids.into_iter().enumerate() {
            write_jpg(
                &aircraft.join("images").join(format!("{id}.jpg")),
                colour(class, 0),
            );
        }
        let list = format!("{} 707-320\n{} A300B4\n", ids[0], ids[1]);
        std::fs::write(aircraft.join(format!("images_variant_{part}.txt")), list).unwrap();
    }
    std::fs::write(aircraft.join("variants.txt"), "707-320\nA300B4\n").unwrap();
    let listed = ok(
        root.path(),
        &["bench", "coop", "--data", "sets", "--list", "--json"],
    );
    let listed: Value = serde_json::from_str(&listed).unwrap();
    for name in [
        "Caltech101",
        "DescribableTextures",
        "Food101",
        "EuroSAT",
        "OxfordPets",
        "FGVCAircraft",
    ] {
        let mut tasks = listed["tasks"].as_array().unwrap().iter();
        let task = tasks.find(|task| task["name"] == name).unwrap();
        assert_eq!(task["state"], "found", "{task}");
        assert_eq!(task["layout"], "coop", "{task}");
        assert_eq!(task["counts"][0], 2, "{task}");
    }
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

#[test]
fn sets_as_torchvision_leaves_them_are_found_for_elevater() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join("sets").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    for part in ["train", "t10k"] {
        let images = b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x00\x40\x80\xff";
        write(&format!("MNIST/raw/{part}-images-idx3-ubyte"), images);
        let labels = b"\0\0\x08\x01\0\0\0\x02\x07\x09";
        write(&format!("MNIST/raw/{part}-labels-idx1-ubyte"), labels);
    }
    let cifar = "cifar-10-batches-bin";
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n";
    write(&format!("{cifar}/batches.meta.txt"), names.as_bytes());
    let names = (1..=5).map(|number| format!("data_batch_{number}"));
    for name in names.chain(["test_batch".to_owned()]) {
        write(&format!("{cifar}/{name}.bin"), &[3; 3073]);
    }
    write("cifar-10-binary.tar.gz", b"");
    let face = vec!["9"; 48 * 48].join(" ");
    let table = format!("emotion,pixels,Usage\n3,{face},Training\n6,{face},PrivateTest\n");
    write("fer2013/fer2013.csv", table.as_bytes());
    let listed = ok(root, &["bench", "elevater", "--data", "sets", "--list"]);
    for (task, layout) in [
        ("mnist ", "idx"),
        ("cifar-10 ", "cifar"),
        ("fer-2013 ", "fer2013"),
    ] {
        let line = listed.lines().find(|line| line.starts_with(task));
        let line = line.unwrap_or_else(|| panic!("{listed}"));
        assert!(line.contains("found") && line.contains(layout), "{listed}");
    }
}
