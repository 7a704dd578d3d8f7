//! WebDatasets as people write them: shards in the root, packed, labels in JSON and text.

use vlpt_data::{Format, OpenOptions, open};

use crate::fixtures::{Dir, pixel, pixels, png, rows, singles};

type Members = Vec<(String, Vec<u8>)>;

/// Samples with a file of this ending beside each image.
fn samples(ending: &str, labels: &[&str]) -> Members {
    let one = |(i, label): (usize, &&str)| {
        let image = (format!("{i:04}.png"), png(i as u8));
        [
            image,
            (format!("{i:04}.{ending}"), label.as_bytes().to_vec()),
        ]
    };
    labels.iter().enumerate().flat_map(one).collect()
}

fn tar(dir: &Dir, path: &str, members: &Members) {
    let members: Vec<(&str, Vec<u8>)> = members
        .iter()
        .map(|(n, b)| (n.as_str(), b.clone()))
        .collect();
    dir.tar(path, &members);
}

fn set(ending: &str, train: &[&str], test: &[&str]) -> Dir {
    let dir = Dir::new();
    tar(&dir, "train-000000.tar", &samples(ending, train));
    tar(&dir, "test-000000.tar", &samples(ending, test));
    dir
}

#[test]
fn labels_may_be_numbers_names_json_or_text() {
    for (ending, cat, dog, names) in [
        ("cls", "0", "1", true),
        ("cls", "cat", "dog", false),
        ("txt", "cat\n", "dog\n", false),
        ("json", r#"{"label": 0}"#, r#"{"label": 1}"#, true),
        (
            "json",
            r#"{"id": 7, "label": "cat"}"#,
            r#"{"id": 8, "label": "dog"}"#,
            false,
        ),
        (
            "json",
            r#"{"class_name": "cat", "cls": 0}"#,
            r#"{"class_name": "dog", "cls": 1}"#,
            false,
        ),
        ("json", r#"{"label": "0"}"#, r#"{"label": "1"}"#, true),
    ] {
        let dir = set(ending, &[cat, dog, dog, cat], &[dog, cat]);
        if names {
            dir.text("classnames.txt", "cat\ndog\n");
        }
        let task = dir
            .open()
            .unwrap_or_else(|error| panic!("{ending} {cat}: {error}"));
        assert_eq!(
            (task.provenance.format, &task.classes[..]),
            (
                Format::WebDataset,
                &["cat".to_owned(), "dog".to_owned()][..]
            )
        );
        let labels: Vec<u32> = singles(&task.train).into_iter().map(|row| row.1).collect();
        assert_eq!(labels, [0, 1, 1, 0], "{ending} {cat}");
        assert_eq!(pixels(&task.test), [0, 1].map(pixel));
    }
}

#[test]
fn the_key_of_a_label_is_named_even_inside_another() {
    let labels = [
        r#"{"label": 3, "meta": {"species": "cat"}}"#,
        r#"{"label": 3, "meta": {"species": "dog"}}"#,
    ];
    let dir = set("json", &labels, &labels);
    let options = |column: &str| OpenOptions {
        label_column: Some(column.to_owned()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options("meta.species")).expect("it opens");
    assert_eq!(task.classes, ["cat", "dog"]);
    let error = dir.error(&options("breed"));
    assert!(
        error.contains("sample `0000`: found 1 images and no label `breed`"),
        "{error}"
    );
}

#[test]
fn a_list_of_labels_makes_a_multi_label_task() {
    let labels = [
        r#"{"labels": ["a", "b"]}"#,
        r#"{"labels": []}"#,
        r#"{"labels": ["b"]}"#,
    ];
    let task = set("json", &labels, &labels).open().expect("it opens");
    assert!(task.multi_label);
    let found: Vec<Vec<u32>> = rows(&task.train).into_iter().map(|row| row.1).collect();
    assert_eq!(found, [vec![0, 1], vec![], vec![1]]);
    let dir = set("cls", &["0,2", "1", "2"], &["0"]);
    dir.text("classnames.txt", "x\ny\nz\n");
    let task = dir.open().expect("it opens");
    assert_eq!(rows(&task.train)[0].1, [0, 2]);
}

#[test]
fn captions_are_not_taken_for_classes() {
    let train = ["a cat on a mat", "a dog in the fog", "a bird", "a fish"];
    let test = ["two cats", "two dogs", "two birds", "two fish"];
    let error = set("txt", &train, &test).error(&OpenOptions::default());
    let told = "labels: found 8 different texts in .txt files for 8 images, such as `a bird`, expected class names, not captions";
    assert!(error.contains(told), "{error}");
}

#[test]
fn shards_of_every_naming_and_packing_are_sorted_into_splits() {
    for (train, test) in [
        (["train-000000.tar", "train-000001.tar"], "test-000000.tar"),
        (
            ["shapes-train-0.tar", "shapes-train-1.tar"],
            "shapes-test-0.tar",
        ),
        (
            ["train-00000-of-00002.tar", "train-00001-of-00002.tar"],
            "validation-00000-of-00001.tar",
        ),
        (
            ["train-000000.tar.gz", "train-000001.tar.gz"],
            "test-000000.tar.gz",
        ),
        (["train_0.tgz", "train_1.tgz"], "test_0.tgz"),
        (
            ["train/000000.tar.gz", "train/000001.tar.gz"],
            "test/000000.tar.gz",
        ),
    ] {
        let dir = Dir::new();
        tar(&dir, train[0], &samples("cls", &["cat", "dog"]));
        tar(&dir, train[1], &samples("cls", &["cat", "dog", "cat"]));
        tar(&dir, test, &samples("cls", &["dog"]));
        let task = dir
            .open()
            .unwrap_or_else(|error| panic!("{train:?}: {error}"));
        assert_eq!((task.train.len(), task.test.len()), (5, 1), "{train:?}");
        assert_eq!(pixels(&task.train), [0, 1, 0, 1, 2].map(pixel));
        assert_eq!(rows(&task.train)[2].0, format!("{}@0000.png", train[1]));
    }
}

#[test]
fn shards_without_a_split_are_one_list_and_a_gap_is_told() {
    let dir = Dir::new();
    tar(
        &dir,
        "shapes-000000.tar",
        &samples("cls", &["cat", "dog", "cat", "dog"]),
    );
    tar(
        &dir,
        "shapes-000001.tar",
        &samples("cls", &["cat", "dog", "cat", "dog"]),
    );
    let task = dir.open().expect("it opens");
    assert!(task.provenance.made_split.is_some());
    assert_eq!(
        task.train.len() + task.val.as_ref().map_or(0, vlpt_data::Split::len) + task.test.len(),
        8
    );
    tar(&dir, "shapes-000003.tar", &samples("cls", &["cat"]));
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("needs DIR/shapes-000002.tar, which does not exist"),
        "{error}"
    );
}

#[test]
fn one_shard_opens_by_its_own_path() {
    let dir = set("cls", &["cat", "dog"], &["dog"]);
    let task = open(&dir.path("test-000000.tar"), &OpenOptions::default()).expect("it opens");
    assert_eq!(
        (task.provenance.format, task.train.len(), task.test.len()),
        (Format::WebDataset, 0, 1)
    );
}

#[test]
fn numbers_and_names_together_are_refused() {
    let error = set("cls", &["0", "dog"], &["1"]).error(&OpenOptions::default());
    assert!(
        error.contains(
            "labels: found the number `0` and the name `dog`, expected numbers or names, not both"
        ),
        "{error}"
    );
}
