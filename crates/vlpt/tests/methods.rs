//! Every method by the binary, on synthetic images and the embedded model: trained, evaluated and used
//! for prediction, with the same numbers from both.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use vlpt_data::image::Limits;
use vlpt_data::{Split, synthetic};
use vlpt_methods::{METHODS, MethodConfig, method as spec};

/// Images of each class that are written, by split.
const WRITTEN: [(&str, usize); 3] = [("train", 2), ("val", 2), ("test", 4)];

/// The first few images of a synthetic task as PNG files below `folder/data`, by split and class.
fn write_task(folder: &Path) {
    let task = synthetic::task("stripes", 3).unwrap();
    let val = task.val.clone().unwrap();
    for (split, (name, count)) in [&task.train, &val, &task.test].iter().zip(WRITTEN) {
        write_split(split, &task.classes, &folder.join("data").join(name), count);
    }
}

fn write_split(split: &Split, classes: &[String], folder: &Path, count: usize) {
    let mut written: BTreeMap<u32, usize> = BTreeMap::new();
    for item in &split.samples {
        let label = item.labels[0];
        let number = written.entry(label).or_default();
        if *number == count {
            continue;
        }
        *number += 1;
        let class = folder.join(&classes[label as usize]);
        fs_err::create_dir_all(&class).unwrap();
        let image = item.load(&Limits::default()).unwrap();
        let png = image::RgbImage::from_raw(image.width, image.height, image.data).unwrap();
        png.save(class.join(format!("{number}.png"))).unwrap();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Share of the test images whose most probable class by `vlpt predict` is their folder's name.
fn predicted_accuracy(folder: &Path, run: &str) -> f64 {
    let args = [
        "predict",
        run,
        "data/test",
        "--top",
        "1",
        "--json",
        "--quiet",
    ];
    let rows = json(&common::ok(folder, &args));
    let rows = rows.as_array().unwrap();
    let right = rows.iter().filter(|row| {
        let image = row["image"].as_str().unwrap();
        let class = Path::new(image).parent().unwrap().file_name().unwrap();
        row["classes"][0]["class"].as_str() == class.to_str()
    });
    right.count() as f64 / rows.len() as f64
}

fn trains_evaluates_and_predicts(name: &str) {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    write_task(folder);
    let run = format!("runs/{name}");
    let train = [
        "train", "data", "--method", name, "--shots", "2", "--epochs", "2", "--out", &run,
        "--json", "--quiet",
    ];
    let trained = json(&common::ok(folder, &train));
    assert_eq!(trained["already_finished"], false);

    let file = |name: &str| fs_err::read(folder.join(&run).join("prompt").join(name)).unwrap();
    let adapter = json(&String::from_utf8(file("adapter_config.json")).unwrap());
    let classes = adapter["classes"].as_u64().unwrap();
    assert_eq!(adapter["base_model"], "mini-clip");
    for file_name in [
        "adapter_model.safetensors",
        "classifier.safetensors",
        "metrics.json",
    ] {
        assert!(!file(file_name).is_empty(), "{file_name}");
    }
    let readme = String::from_utf8(file("README.md")).unwrap();
    assert!(readme.contains(&format!("| method | {name} |")), "{readme}");
    // Both speak of the method as its description does.
    let report = spec(name).unwrap().report;
    assert!(readme.contains(report.holds), "{readme}");
    let page = fs_err::read_to_string(folder.join(&run).join("report.html")).unwrap();
    assert!(page.contains(report.done), "{name}: {}", report.done);

    let eval = [
        "eval",
        &run,
        "data",
        "--json",
        "--quiet",
        "--bootstrap",
        "10",
    ];
    let evaluation = json(&common::ok(folder, &eval));
    assert_eq!(evaluation["images"].as_u64(), Some(classes * 4));
    let accuracy = evaluation["accuracy"].as_f64().unwrap();
    assert!((predicted_accuracy(folder, &run) - accuracy).abs() < 1e-9);

    // Learned classes cannot be exchanged in a baseline that knows them by their images alone;
    // everything else takes any names.
    let first = fs_err::read_dir(folder.join("data/test")).unwrap().next();
    let image = first.unwrap().unwrap().path().join("1.png");
    let image = image.to_str().unwrap();
    let other = ["predict", &run, image, "--classes", "a dog,a cat", "--json"];
    let output = common::run(folder, &other);
    let method = MethodConfig::new(spec(name).unwrap());
    let fixed = method.is_baseline() && !method.needs().open_classes;
    assert_eq!(
        output.status.success(),
        !fixed,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    // A finished run is left as it is.
    let again = ["train", "--resume", &run, "--json", "--quiet"];
    assert_eq!(json(&common::ok(folder, &again))["already_finished"], true);
}

/// Calls the walk for every `every`th method of the list, so that tests run side by side.
fn every(part: usize, parts: usize) {
    for spec in METHODS.iter().skip(part).step_by(parts) {
        trains_evaluates_and_predicts(spec.name);
    }
}

#[test]
fn a_first_third_of_the_methods() {
    every(0, 3);
}

#[test]
fn a_second_third_of_the_methods() {
    every(1, 3);
}

#[test]
fn the_last_third_of_the_methods() {
    every(2, 3);
}
