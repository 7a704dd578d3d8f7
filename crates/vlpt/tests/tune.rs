//! `vlpt tune`: what it writes, what it says, and how it is used.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{contents, drawn_photos, ok, run, transcript, write_png};
use serde_json::Value;

const FEW: [&str; 2] = ["--methods", "linear-probe,gda"];

fn record(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("tune.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn photos_become_a_run_with_an_estimate_a_report_and_a_card() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 3, 0, 6);
    let class = std::fs::read_dir(folder.join("photos")).unwrap();
    let class = class
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_dir())
        .unwrap();
    std::fs::copy(class.join("000.png"), class.join("copy.png")).unwrap();
    std::fs::write(class.join("broken.png"), b"no picture").unwrap();
    let said = ok(folder, &[&["tune", "photos"][..], &FEW].concat());
    assert!(
        said.contains("runs/photos: ") && said.contains("95 % interval"),
        "{said}"
    );
    assert!(said.contains("broken.png"), "{said}");
    let dir = folder.join("runs/photos");
    let record = record(&dir);
    let tried = record["tried"].as_array().unwrap();
    let names: Vec<&str> = tried
        .iter()
        .map(|t| t["method"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["zero-shot", "gda", "linear-probe"]);
    let expected = &record["estimate"];
    let share = |name: &str| expected[name].as_f64().unwrap();
    assert!(share("low") <= share("value") && share("value") <= share("high"));
    assert_eq!(record["photos"].as_array().unwrap().len(), 19);
    assert_eq!(record["copies"][0]["equal"], true);
    assert_eq!(record["left_out"].as_array().unwrap().len(), 1);
    let counted: u64 = record["confusion"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|row| row.as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(counted, expected["photos"].as_u64().unwrap());
    // Photos that are copies of each other are held out together.
    let fold = |name: &str| {
        let photos = record["photos"].as_array().unwrap().iter();
        photos
            .filter(|photo| photo["photo"].as_str().unwrap().ends_with(name))
            .map(|photo| photo["fold"].clone())
            .collect::<Vec<_>>()
    };
    assert!(fold("000.png").contains(&fold("copy.png")[0]));
    let page = std::fs::read_to_string(dir.join("report.html")).unwrap();
    for part in [
        "What was tried",
        "What was taken for what",
        "The same photo twice",
        "Nearest the boundary",
        "Where the model looks",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let card = std::fs::read_to_string(dir.join("prompt/README.md")).unwrap();
    assert!(card.starts_with("---\nlibrary_name: vlpt\n"), "{card}");
    assert!(
        card.contains("model-index: [{") && card.contains("| photos |"),
        "{card}"
    );
    // Temperature and threshold are the folder's, and predictions use them.
    let config = std::fs::read_to_string(dir.join("prompt/adapter_config.json")).unwrap();
    let config: Value = serde_json::from_str(&config).unwrap();
    assert!(config["calibration"]["temperature"].as_f64().unwrap() > 0.0);
    let photo = class.join("001.png");
    let photo = photo.to_str().unwrap();
    let answer: Value =
        serde_json::from_str(&ok(folder, &["--json", "predict", "runs/photos", photo])).unwrap();
    assert!(answer.to_string().contains("probabilit"), "{answer}");
    // Nothing is left to judge it on, and nothing is beside it.
    let said = transcript(folder, &["eval", "runs/photos"]);
    assert!(said.contains("learned from all photos"), "{said}");
    let beside: Vec<_> = std::fs::read_dir(folder.join("runs")).unwrap().collect();
    assert_eq!(beside.len(), 1);
    let said = transcript(folder, &["tune", "photos"]);
    assert!(
        said.contains("exit code: 2") && said.contains("--add"),
        "{said}"
    );
}

#[test]
fn the_same_photos_and_seed_give_the_same_classifier_and_numbers() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "stripes", 2, 0, 6);
    let tune = |out: &str, seed: &str| {
        let flags = ["tune", "photos", "--out", out, "--seed", seed, "--no-cache"];
        ok(folder, &[&flags[..], &FEW].concat());
        let mut record = record(&folder.join(out));
        for tried in record["tried"].as_array_mut().unwrap() {
            tried["seconds"] = Value::Null;
        }
        for time in ["seconds", "seconds_looking"] {
            record[time] = Value::Null;
        }
        (record, contents(&folder.join(out).join("prompt")))
    };
    let (one, again, other) = (tune("a", "3"), tune("b", "3"), tune("c", "4"));
    assert_eq!(one.0, again.0);
    assert_eq!(one.1, again.1);
    assert_ne!(one.0["photos"], other.0["photos"]);
}

#[test]
fn more_photos_are_taken_with_the_settings_of_before() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 5);
    drawn_photos(&folder.join("more"), "shapes", 3, 5, 4);
    let flags = ["--seed", "2", "--reject-rate", "0.25"];
    ok(folder, &[&["tune", "photos"][..], &flags, &FEW].concat());
    let said = ok(folder, &["tune", "runs/photos", "--add", "more"]);
    assert!(said.starts_with("runs/photos-2: "), "{said}");
    let (before, now) = (
        record(&folder.join("runs/photos")),
        record(&folder.join("runs/photos-2")),
    );
    assert_eq!(
        (&now["seed"], &now["methods"]),
        (&before["seed"], &before["methods"])
    );
    assert_eq!(now["calibration"]["reject_rate"], 0.25);
    assert_eq!(now["before"]["photos"], 10);
    assert_eq!(now["photos"].as_array().unwrap().len(), 22);
    assert_eq!(now["classes"].as_array().unwrap().len(), 3);
    // From another folder: the run knows where its photos lie.
    let elsewhere = folder.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let said = ok(&elsewhere, &["tune", "../runs/photos-2", "--out", "third"]);
    assert!(said.starts_with("third: "), "{said}");
    assert_eq!(
        record(&elsewhere.join("third"))["photos"]
            .as_array()
            .unwrap()
            .len(),
        22
    );
}

#[test]
fn photos_that_are_added_twice_count_once() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 8);
    drawn_photos(&folder.join("again"), "shapes", 2, 0, 8);
    ok(folder, &[&["tune", "photos"][..], &FEW].concat());
    let said = ok(folder, &["tune", "runs/photos", "--add", "again"]);
    assert!(said.contains("16 of 32 photos are copies"), "{said}");
    let [before, now] = ["runs/photos", "runs/photos-2"].map(|run| record(&folder.join(run)));
    assert_eq!(now["photos"].as_array().unwrap().len(), 32);
    assert_eq!(now["estimate"]["photos"], before["estimate"]["photos"]);
    let width = |record: &Value| {
        let end = |name: &str| record["estimate"][name].as_f64().unwrap();
        end("high") - end("low")
    };
    assert!(width(&now) > 0.8 * width(&before), "{now} {before}");
}

#[test]
fn photos_that_are_added_may_lie_in_another_layout() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 5);
    drawn_photos(&folder.join("more/train"), "shapes", 2, 5, 4);
    drawn_photos(&folder.join("more/test"), "shapes", 2, 9, 3);
    let flags = [
        "tune",
        "photos",
        "--format",
        "classfolders",
        "--add",
        "more",
    ];
    ok(folder, &[&flags[..], &FEW].concat());
    let record = record(&folder.join("runs/photos"));
    assert_eq!(record["classes"].as_array().unwrap().len(), 2);
    assert_eq!(record["photos"].as_array().unwrap().len(), 18);
}

#[test]
fn the_folder_of_another_command_is_told_apart_before_any_work() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 5);
    ok(folder, &["train", "photos", "--method", "gda"]);
    let said = transcript(folder, &["tune", "photos"]);
    assert!(
        said.contains("there is something already") && !said.contains("--add"),
        "{said}"
    );
    let said = transcript(folder, &["tune", "runs/photos", "--add", "photos"]);
    assert!(said.contains("a run of `vlpt train`"), "{said}");
}

#[test]
fn one_photo_a_class_gives_a_classifier_without_an_estimate() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 3, 0, 1);
    let said = ok(folder, &["tune", "photos"]);
    assert!(
        said.contains("accuracy not estimated") && said.contains("too few photos"),
        "{said}"
    );
    let record = record(&folder.join("runs/photos"));
    assert!(record["estimate"].is_null() && record["calibration"].is_null());
    assert!(record["names_alone"].is_number());
    assert_ne!(record["chosen"], "zero-shot");
    assert!(
        run(folder, &["predict", "runs/photos", "photos"])
            .status
            .success()
    );
}

#[test]
fn imbalance_is_said_and_a_class_of_one_photo_is_learned_from() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 8);
    for i in 0..2_u8 {
        write_png(
            &folder.join(format!("photos/zebra/{i}.png")),
            [i * 90, 3, 200],
        );
    }
    std::fs::remove_file(folder.join("photos/zebra/1.png")).unwrap();
    let said = ok(folder, &[&["tune", "photos"][..], &FEW].concat());
    assert!(said.contains("imbalanced, 1 to 8 photos"), "{said}");
    assert!(said.contains("the only ones of their class"), "{said}");
    let record = record(&folder.join("runs/photos"));
    assert_eq!(record["metric"], "mean_per_class");
    assert_eq!(record["estimate"]["photos"], 16);
}

#[test]
fn what_makes_no_sense_is_refused_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    drawn_photos(&folder.join("photos"), "shapes", 2, 0, 2);
    for (flags, word) in [
        (&["--minutes", "0"][..], "--minutes 0"),
        (&["--reject-rate", "1"], "--reject-rate 1"),
        (&["--methods", "magic"], "no method \"magic\""),
    ] {
        let said = transcript(folder, &[&["tune", "photos"], flags].concat());
        assert!(said.contains(word) && said.contains("expected"), "{said}");
        assert!(!folder.join("runs").exists());
    }
    let said = transcript(folder, &["tune", "photos/one"]);
    assert!(!said.contains("exit code: 0"), "{said}");
}
