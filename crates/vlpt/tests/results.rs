//! What is said of predictions: the choices, intervals, rows, thresholds, photos without labels.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{ok, run, write_png};
use serde_json::Value;

const COLOURS: [(&str, [u8; 3]); 3] = [
    ("deep_red", [220, 20, 20]),
    ("blue", [20, 20, 220]),
    ("green", [20, 200, 20]),
];

/// Three classes to learn from, and folders of some of them by other spellings.
fn photos(folder: &Path) {
    for (name, colour) in COLOURS {
        for i in 0..6u8 {
            let near = colour.map(|c| c.saturating_add(i));
            write_png(&folder.join(format!("photos/{name}/{i}.png")), near);
        }
    }
    for i in 0..6u8 {
        write_png(
            &folder.join(format!("one/test/Deep Red/{i}.png")),
            [210, i, 30],
        );
        write_png(&folder.join(format!("order/test/a/{i}.png")), [20, i, 210]);
        write_png(
            &folder.join(format!("purple/test/purple/{i}.png")),
            [120, i, 120],
        );
        write_png(
            &folder.join(format!("part/test/purple/{i}.png")),
            [120, i, 120],
        );
        write_png(
            &folder.join(format!("part/test/BLUE/{i}.png")),
            [30, i, 210],
        );
        write_png(&folder.join(format!("other/test/night/{i}.png")), [0, 0, i]);
        write_png(
            &folder.join(format!("other/test/day/{i}.png")),
            [250, 250, i],
        );
    }
    fs_err::rename(folder.join("order/test/a"), folder.join("order/test/blue")).unwrap();
    for i in 0..6u8 {
        write_png(&folder.join(format!("order/test/a/{i}.png")), [20, 210, i]);
    }
    fs_err::rename(folder.join("order/test/a"), folder.join("order/test/Green")).unwrap();
}

fn json(folder: &Path, args: &[&str]) -> Value {
    let args = [args, &["--json", "--quiet"]].concat();
    serde_json::from_str(&ok(folder, &args)).unwrap()
}

fn train(folder: &Path, method: &str) {
    let args = [
        "train", "photos", "--method", method, "--epochs", "2", "--shots", "2", "--out", method,
        "--quiet",
    ];
    ok(folder, &args);
}

#[test]
fn the_prompts_classes_stay_the_choices_for_every_kind_of_method() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    for method in [
        "coop",
        "linear-probe",
        "tip-adapter",
        "zero-shot",
        "cocoop",
        "vpt",
    ] {
        train(folder, method);
        let one = json(folder, &["eval", method, "one", "--out", "out.json"]);
        assert_eq!(
            one["classes"],
            serde_json::json!(["blue", "deep_red", "green"])
        );
        assert_eq!(
            (&one["classes_of"], &one["interval"]),
            (&"prompt".into(), &"wilson".into())
        );
        assert_eq!(one["data_classes"], serde_json::json!(["Deep Red"]));
        assert!(one["low"].as_f64().unwrap() < 0.7, "{one}");
        let confusion = one["confusion"][1].as_array().unwrap();
        assert_eq!(
            confusion.iter().map(|n| n.as_u64().unwrap()).sum::<u64>(),
            6
        );
        let file: Value =
            serde_json::from_slice(&fs_err::read(folder.join("out.json")).unwrap()).unwrap();
        assert_eq!(file["choices"]["classes_of"], "prompt");
        // Mean per class is of the same choices.
        let share = one["accuracy"].as_f64().unwrap();
        assert!(
            (one["mean_per_class"].as_f64().unwrap() - share).abs() < 1e-12,
            "{one}"
        );
        // Another order and spelling: the same images are counted for the same classes.
        let order = json(
            folder,
            &["eval", method, "order", "--predictions", "rows.jsonl"],
        );
        let rows = fs_err::read_to_string(folder.join("rows.jsonl")).unwrap();
        let rows: Vec<Value> = rows
            .lines()
            .map(|l| serde_json::from_str(l).unwrap())
            .collect();
        assert_eq!(rows.len(), 12);
        let right = rows
            .iter()
            .filter(|row| row["label"] == row["predicted"])
            .count();
        assert_eq!(order["accuracy"].as_f64().unwrap(), right as f64 / 12.0);
        let of_green = rows
            .iter()
            .filter(|row| row["path"].as_str().unwrap().contains("Green"));
        assert!(
            of_green.clone().count() == 6 && of_green.clone().all(|row| row["label"] == "green")
        );
        // The data's own, taken from what was learned.
        let own = json(folder, &["eval", method, "order", "--classes-of", "data"]);
        assert_eq!(own["classes"], serde_json::json!(["Green", "blue"]));
        assert_eq!(own["classes_of"], "data");
    }
}

#[test]
fn classes_that_the_prompt_does_not_know_are_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    train(folder, "coop");
    for data in ["purple", "part"] {
        let said = run(folder, &["eval", "coop", data]);
        assert!(!said.status.success());
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(
            said.contains("purple") && said.contains("--classes-of data"),
            "{said}"
        );
        let said = ok(folder, &["eval", "coop", data, "--classes-of", "data"]);
        assert!(said.contains("of the data ("), "{said}");
    }
    // Other classes altogether: told, and said in the result.
    let said = ok(folder, &["eval", "coop", "other"]);
    assert!(
        said.contains("chosen among the 2 classes of the data (day, night)"),
        "{said}"
    );
    let said = ok(folder, &["eval", "coop", "one"]);
    assert!(
        said.contains("chosen among the 3 classes of the prompt"),
        "{said}"
    );
    let said = run(folder, &["eval", "coop", "other", "--classes-of", "prompt"]);
    assert!(!said.status.success());
    // A report says it too.
    ok(folder, &["eval", "coop", "one", "--report", "page.html"]);
    let page = fs_err::read_to_string(folder.join("page.html")).unwrap();
    assert!(page.contains("3 classes of the prompt"));
}

#[test]
fn rows_are_written_by_ending_and_thresholds_give_none() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    train(folder, "coop");
    let at = json(
        folder,
        &["eval", "coop", "photos", "--threshold", "0.9999999"],
    );
    assert!(at["threshold"]["coverage"].as_f64().unwrap() <= 1.0);
    let eval = [
        "eval",
        "coop",
        "one",
        "--threshold",
        "1",
        "--top",
        "2",
        "--all-scores",
    ];
    let none = ["--none", "unsure", "--predictions"];
    ok(folder, &[&eval[..], &none, &["rows.csv"]].concat());
    let text = fs_err::read_to_string(folder.join("rows.csv")).unwrap();
    let header = "path,label,predicted,probability,class_1,probability_1,class_2,probability_2,\
                  score:blue,score:deep_red,score:green";
    assert_eq!(text.lines().next().unwrap(), header);
    assert_eq!(text.lines().count(), 7);
    assert!(
        text.lines()
            .skip(1)
            .all(|line| line.contains(",deep_red,unsure,")),
        "{text}"
    );
    // The same images without labels, by predict, to Parquet and CSV.
    let predict = ["predict", "coop", "one", "--out"];
    ok(folder, &[&predict[..], &["rows.parquet"]].concat());
    assert_eq!(
        &fs_err::read(folder.join("rows.parquet")).unwrap()[..4],
        b"PAR1"
    );
    fs_err::write(folder.join("one/test/broken.png"), "no image").unwrap();
    let said = run(folder, &[&predict[..], &["rows.csv"]].concat());
    assert!(!said.status.success());
    let text = fs_err::read_to_string(folder.join("rows.csv")).unwrap();
    assert!(
        text.starts_with("path,predicted,probability,class_1,"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 8);
    assert!(
        text.lines().last().unwrap().contains("broken.png,,,"),
        "{text}"
    );
    let printed = ok(
        folder,
        &["predict", "coop", "photos", "--threshold", "1", "-k", "1"],
    );
    assert!(
        printed.lines().all(|line| line.contains("\tnone\t")),
        "{printed}"
    );
    for (args, word) in [
        (
            &["predict", "coop", "photos", "--out", "a.tsv"][..],
            ".csv, .jsonl or .parquet",
        ),
        (&["predict", "coop", "photos", "--all-scores"], "--out"),
        (&["eval", "coop", "photos", "--top", "2"], "--predictions"),
        (
            &["eval", "coop", "photos", "--out", "a.csv"],
            "--predictions",
        ),
        (&["predict", "coop", "photos", "--threshold", "2"], "0 to 1"),
        (
            &[
                "predict",
                "coop",
                "photos",
                "--threshold",
                "0.5",
                "--none",
                "blue",
            ],
            "--none",
        ),
    ] {
        let said = run(folder, args);
        assert!(!said.status.success(), "{args:?}");
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains(word), "{args:?}: {said}");
    }
}

#[test]
fn photos_are_classified_by_class_names_alone() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    for i in 0..3u8 {
        write_png(&folder.join(format!("flat/{i}.png")), [200, i, 0]);
        write_png(&folder.join(format!("album/2019/{i}.png")), [200, i, 0]);
        write_png(&folder.join(format!("album/2020/{i}.png")), [0, i, 200]);
    }
    fs_err::write(folder.join("flat/a.mov"), "x").unwrap();
    fs_err::write(folder.join("flat/b.MOV"), "x").unwrap();
    fs_err::write(folder.join("names.txt"), "red\n\nblue\n").unwrap();
    let said = run(folder, &["zeroshot", "flat", "--classes", "red,blue"]);
    let (out, err) = (
        String::from_utf8_lossy(&said.stdout),
        String::from_utf8_lossy(&said.stderr),
    );
    assert_eq!(out.lines().count(), 3, "{out}{err}");
    let note = "2 files of other kinds were passed over, such as a.mov";
    assert!(err.contains(note), "{err}");
    // Files, a list of classes, a file of answers.
    let files = [
        "zeroshot",
        "flat/0.png",
        "flat/1.png",
        "--class-file",
        "names.txt",
    ];
    ok(
        folder,
        &[&files[..], &["--out", "answers.csv", "--all-scores"]].concat(),
    );
    let text = fs_err::read_to_string(folder.join("answers.csv")).unwrap();
    assert!(
        text.lines()
            .next()
            .unwrap()
            .ends_with("score:red,score:blue,error"),
        "{text}"
    );
    // Folders that are called otherwise hold photos; those that are called so hold labels.
    let album = json(
        folder,
        &["zeroshot", "album", "--classes", "red,blue", "--top", "1"],
    );
    assert_eq!(album.as_array().unwrap().len(), 6);
    let judged = json(
        folder,
        &[
            "zeroshot",
            "photos",
            "--classes",
            "Blue,Deep red,green,white",
        ],
    );
    assert_eq!(judged["classes_of"], "named");
    assert_eq!(judged["classes"].as_array().unwrap().len(), 4);
    let all = [
        "zeroshot",
        "photos",
        "--classes",
        "Blue,Deep red,green",
        "--unlabelled",
    ];
    assert_eq!(json(folder, &all).as_array().unwrap().len(), 18);
    for (args, word) in [
        (&["zeroshot", "flat/0.png"][..], "--classes"),
        (
            &["zeroshot", "photos", "--classes", "blue,green"],
            "deep_red",
        ),
        (
            &["zeroshot", "flat", "--classes", "red"],
            "always the answer",
        ),
        (&["zeroshot", "flat", "--classes", "red,red"], "twice"),
        (
            &[
                "zeroshot",
                "flat",
                "--classes",
                "red,blue",
                "--split",
                "val",
            ],
            "--split",
        ),
        (
            &[
                "zeroshot",
                "flat",
                "--classes",
                "red,blue",
                "--out",
                "a.json",
            ],
            ".csv",
        ),
    ] {
        let said = run(folder, args);
        assert!(!said.status.success(), "{args:?}");
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        assert!(said.contains(word), "{args:?}: {said}");
    }
    // Without classes a labelled set is judged as before.
    assert_eq!(json(folder, &["zeroshot", "photos"])["classes_of"], "data");
}

#[cfg(unix)]
#[test]
fn loops_of_links_give_each_image_once() {
    use std::os::unix::fs::symlink;
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    photos(folder);
    train(folder, "zero-shot");
    write_png(&folder.join("lp/a/photo.png"), [200, 0, 0]);
    symlink("..", folder.join("lp/a/up")).unwrap();
    symlink("..", folder.join("lp/a/up2")).unwrap();
    let said = run(folder, &["predict", "zero-shot", "lp"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout).lines().count(), 1);
    assert!(String::from_utf8_lossy(&said.stderr).contains("2 links back to folders above"));
    ok(folder, &["embed", "lp", "--out", "f.npy"]);
    ok(folder, &["preprocess", "lp", "--out", "p.npy"]);
    for array in ["f.npy", "p.npy"] {
        let bytes = std::fs::read(folder.join(array)).unwrap();
        let header = String::from_utf8_lossy(&bytes[..128]).into_owned();
        assert!(header.contains("'shape': (1, "), "{array}: {header}");
    }
}
