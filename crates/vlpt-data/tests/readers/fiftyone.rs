//! FiftyOne's image classification data sets.

use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, pixel, pixels, rows};

fn set(labels: &str) -> Dir {
    let dir = Dir::new();
    for (seed, image) in (1..).zip(["a.jpg", "b.png", "deep/c.jpg"]) {
        dir.image(&format!("data/{image}"), seed);
    }
    dir.text("labels.json", labels);
    dir
}

#[test]
fn labels_are_numbers_names_or_objects() {
    for labels in [
        r#"{"classes": ["cat", "dog"], "labels": {"a": 0, "b": 1, "deep/c": 1}}"#,
        r#"{"classes": null, "labels": {"a": "cat", "b": "dog", "deep/c": "dog"}}"#,
        r#"{"classes": ["cat", "dog"], "labels": {"a.jpg": {"label": 0, "confidence": 0.5}, "b": {"label": "dog"}, "deep/c": 1}}"#,
    ] {
        let task = set(labels).open().expect("it opens");
        assert_eq!(
            (task.provenance.format, task.multi_label),
            (Format::FiftyOne, false)
        );
        assert_eq!(task.classes, ["cat", "dog"]);
        let all = [&task.train, &task.test].into_iter().chain(&task.val);
        let mut found: Vec<(String, Vec<u32>)> = all.flat_map(rows).collect();
        found.sort();
        let want = [("data/a.jpg", 0), ("data/b.png", 1), ("data/deep/c.jpg", 1)];
        assert_eq!(found, want.map(|(id, label)| (id.to_owned(), vec![label])));
    }
}

#[test]
fn splits_lists_and_images_without_a_label() {
    let dir = Dir::new();
    for (seed, image) in (1..).zip([
        "train/data/a.jpg",
        "train/data/b.jpg",
        "train/data/x.jpg",
        "validation/data/c.jpg",
    ]) {
        dir.image(image, seed);
    }
    dir.text(
        "train/labels.json",
        r#"{"classes": ["cat", "dog"], "labels": {"a": [1, 0], "b": [], "x": null}}"#,
    );
    dir.text(
        "validation/labels.json",
        r#"{"classes": ["cat", "dog"], "labels": {"c": ["dog"]}}"#,
    );
    let task = dir.open().expect("it opens");
    assert!(task.multi_label);
    assert_eq!(rows(&task.train)[0].1, [0, 1]);
    assert_eq!(pixels(&task.train), [1, 2].map(pixel));
    assert_eq!(pixels(&task.test), [pixel(4)]);
    let note = "1 images of the train split have no label and were left out";
    assert!(task.provenance.notes.iter().any(|n| n == note));
}

#[test]
fn what_contradicts_itself_is_named() {
    for (labels, told) in [
        (
            r#"{"classes": ["cat"], "labels": {"a": 1}}"#,
            "DIR/labels.json: label of `a`: found `1`, expected one of the 1 classes",
        ),
        (
            r#"{"classes": ["cat"], "labels": {"a": "dog"}}"#,
            "DIR/labels.json: label of `a`: found `dog`",
        ),
        (
            r#"{"classes": ["cat"], "labels": {"z": 0}}"#,
            "DIR/labels.json: label of `z` names the image `data/z`, which does not exist",
        ),
        (
            r#"{"classes": ["cat"], "labels": {"a": true}}"#,
            "DIR/labels.json: label of `a`: found true",
        ),
    ] {
        let error = set(labels).error(&OpenOptions::default());
        assert!(error.starts_with(told), "{error}");
    }
}
