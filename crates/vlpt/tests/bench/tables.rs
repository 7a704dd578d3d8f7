//! From the sets at hand to the tables: protocols, shards, kills, estimates.

use std::collections::BTreeMap;
use std::process::Stdio;

use serde_json::Value;

use crate::common::{ok, run, transcript, vlpt};
use crate::{QUICK, bench, class_folders, rows, two_sets};

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
        "reliability.parquet",
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
