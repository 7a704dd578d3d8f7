use std::thread;

use vlpt_data::{Format, OpenOptions};

use crate::fixtures::{Dir, features, pixel, pixels, singles};

const TRAIN: [(u8, i64); 5] = [(1, 0), (2, 1), (3, 1), (4, 0), (5, 1)];

fn set() -> Dir {
    let dir = Dir::new();
    let features = features(&["cat", "dog"], false);
    dir.parquet("data/train-00000-of-00002.parquet", &TRAIN, &features, 2);
    dir.parquet("data/train-00001-of-00002.parquet", &[(6, 0)], &features, 2);
    dir.parquet(
        "data/test-00000-of-00001.parquet",
        &[(7, 1), (8, 0)],
        &features,
        2,
    );
    dir.text("README.md", "---\n---\n");
    dir
}

#[test]
fn class_names_come_from_the_metadata_and_rows_in_order() {
    let dir = set();
    let task = dir.open().expect("it opens");
    assert_eq!(task.provenance.format, Format::Parquet);
    assert_eq!(task.classes, ["cat", "dog"]);
    assert_eq!(
        singles(&task.train)[4],
        ("data/train-00000-of-00002.parquet@4".to_owned(), 1)
    );
    assert_eq!(
        singles(&task.train)[5],
        ("data/train-00001-of-00002.parquet@0".to_owned(), 0)
    );
    assert_eq!(pixels(&task.train), [1, 2, 3, 4, 5, 6].map(pixel));
    assert_eq!(pixels(&task.test), [7, 8].map(pixel));
}

#[test]
fn rows_read_backwards_or_from_many_threads_are_the_same() {
    let dir = Dir::new();
    let rows: Vec<(u8, i64)> = (0..250).map(|i| (i, i64::from(i % 2))).collect();
    dir.parquet("train.parquet", &rows, &features(&["a", "b"], false), 37);
    dir.parquet(
        "test.parquet",
        &rows[..2],
        &features(&["a", "b"], false),
        37,
    );
    let task = dir.open().expect("it opens");
    thread::scope(|scope| {
        for start in 0..4 {
            let items = &task.train.samples;
            scope.spawn(move || {
                for i in (start..items.len()).rev().step_by(3) {
                    let image = items[i]
                        .load(&vlpt_data::image::Limits::default())
                        .expect("it decodes");
                    assert_eq!(image.data[..3], pixel(i as u8));
                }
            });
        }
    });
}

#[test]
fn two_label_columns_are_listed_and_one_is_named() {
    let dir = Dir::new();
    for split in ["train", "test"] {
        let file = format!("data/{split}-00000-of-00001.parquet");
        dir.parquet(
            &file,
            &[(1, 0), (2, 1), (3, 2)],
            &features(&["a", "b", "c"], true),
            2,
        );
    }
    let error = dir.error(&OpenOptions::default());
    assert!(error.ends_with("more than one column could be the label; the file has label (3 classes), coarse (2 classes)"), "{error}");
    let options = OpenOptions {
        label_column: Some("coarse".to_owned()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(task.classes, ["x", "y"]);
    assert_eq!(task.train.class_counts(2), [2, 1]);
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let options = OpenOptions {
        label_column: Some("species".to_owned()),
        ..OpenOptions::default()
    };
    let error = set().error(&options);
    assert!(
        error.contains("no label column `species`; the file has image.bytes (BYTE_ARRAY)"),
        "{error}"
    );
}

#[test]
fn numbers_without_names_need_a_class_file() {
    let dir = Dir::new();
    for split in ["train", "test"] {
        dir.parquet(&format!("{split}.parquet"), &[(1, 0), (2, 1)], "{}", 2);
    }
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("the label column `label` has numbers without class names"),
        "{error}"
    );
    dir.text("names.txt", "a\nb\n");
    let options = OpenOptions {
        class_file: Some(dir.path("names.txt")),
        ..OpenOptions::default()
    };
    assert_eq!(
        dir.open_with(&options).expect("it opens").classes,
        ["a", "b"]
    );
}

#[test]
fn a_missing_shard_is_named() {
    let dir = set();
    fs_err::remove_file(dir.path("data/train-00001-of-00002.parquet")).expect("removed");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("needs DIR/data/train-00001-of-00002.parquet, which does not exist"),
        "{error}"
    );
}

#[test]
fn configurations_are_chosen_by_name() {
    let dir = Dir::new();
    for (config, class) in [("large", "big"), ("small", "little")] {
        let features = features(&[class, "b"], false);
        dir.parquet(
            &format!("{config}/train-00000-of-00001.parquet"),
            &[(1, 0), (2, 1)],
            &features,
            2,
        );
        dir.parquet(
            &format!("{config}/test/0000.parquet"),
            &[(1, 0)],
            &features,
            2,
        );
    }
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("folders with such files: found large, small"),
        "{error}"
    );
    let options = OpenOptions {
        name: Some("small".to_owned()),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).expect("it opens");
    assert_eq!(
        (task.classes[0].as_str(), task.train.len(), task.test.len()),
        ("little", 2, 1)
    );
}

#[test]
fn a_split_whose_labels_are_kept_secret_is_left_out() {
    let dir = set();
    dir.parquet(
        "data/test-00000-of-00001.parquet",
        &[(7, -1), (8, -1)],
        &features(&["cat", "dog"], false),
        2,
    );
    dir.parquet(
        "data/validation-00000-of-00001.parquet",
        &[(9, 1)],
        &features(&["cat", "dog"], false),
        2,
    );
    let task = dir.open().expect("it opens");
    assert_eq!(pixels(&task.test), [pixel(9)]);
    assert!(
        task.provenance
            .notes
            .iter()
            .any(|note| note == "2 rows of the test split have no label and were left out")
    );
}

#[test]
fn a_label_beyond_the_names_is_refused() {
    let dir = set();
    dir.parquet(
        "data/test-00000-of-00001.parquet",
        &[(7, 0), (8, 2)],
        &features(&["cat", "dog"], false),
        2,
    );
    assert_eq!(
        dir.error(&OpenOptions::default()),
        "DIR/data/test-00000-of-00001.parquet: row 1: found label 2, expected one of the 2 classes"
    );
}

#[test]
fn files_with_other_class_names_are_refused() {
    let dir = set();
    dir.parquet(
        "data/test-00000-of-00001.parquet",
        &[(7, 0)],
        &features(&["dog", "cat"], false),
        2,
    );
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.contains("schema: found images in `image` and labels in `label` (2 class names)"),
        "{error}"
    );
}

#[test]
fn a_damaged_file_is_named() {
    let dir = set();
    dir.text("data/train-00001-of-00002.parquet", "PAR1 but no more");
    let error = dir.error(&OpenOptions::default());
    assert!(
        error.starts_with("data/train-00001-of-00002.parquet: cannot be read as Parquet:"),
        "{error}"
    );
}

/// `zstd-v1.parquet` and `zstd-v2.parquet` of `make_parquet.py`.
fn golden(version: u8) -> Vec<u8> {
    let path = format!(
        "{}/tests/golden/parquet/zstd-v{version}.parquet",
        env!("CARGO_MANIFEST_DIR")
    );
    fs_err::read(path).expect("it is there")
}

#[test]
fn zstandard_pages_of_both_versions_are_read() {
    for version in [1, 2] {
        let dir = Dir::new();
        for split in ["train", "test"] {
            dir.bytes(&format!("{split}.parquet"), &golden(version));
        }
        let task = dir.open().expect("it opens");
        assert_eq!(task.classes, ["a", "b", "c"]);
        let labelled = (0..40_u8).filter(|&i| i != 5);
        let want: Vec<[u8; 3]> = labelled.clone().map(pixel).collect();
        assert_eq!(pixels(&task.train), want, "version {version}");
        let labels: Vec<u32> = singles(&task.train).into_iter().map(|row| row.1).collect();
        let want: Vec<u32> = labelled.map(|i| u32::from(i) % 3).collect();
        assert_eq!(labels, want, "version {version}");
    }
}

#[test]
fn damage_in_zstandard_pages_is_an_error() {
    let whole = golden(1);
    let body = whole.len() - 2000; // the footer lies behind
    let mut told = 0;
    for place in (4..body).step_by(7) {
        let mut file = whole.clone();
        file[place] ^= 0x55;
        let dir = Dir::new();
        dir.bytes("train.parquet", &file)
            .bytes("test.parquet", &whole);
        // whatever is hit, nothing panics; where the set opens, each image loads or says why not
        let Ok(task) = dir.open() else {
            told += 1;
            continue;
        };
        told += task
            .train
            .samples
            .iter()
            .filter(|sample| sample.load(&vlpt_data::image::Limits::default()).is_err())
            .count();
    }
    assert!(told > 100, "{told}");
}
