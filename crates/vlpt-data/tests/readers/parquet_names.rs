//! Which file is of which split, by every name that was ever given to one.

use vlpt_data::{OpenOptions, open};

use crate::fixtures::{Dir, features};

fn parquet(dir: &Dir, path: &str, seeds: std::ops::Range<u8>) {
    let rows: Vec<(u8, i64)> = seeds.map(|seed| (seed, i64::from(seed % 2))).collect();
    dir.parquet(path, &rows, &features(&["cat", "dog"], false), 4);
}

/// Number of train, val and test images of a set of these files, the first with 4 rows, the second
/// with 2 and so on; and the notes.
fn counts(files: &[&str], name: Option<&str>) -> Result<([usize; 3], Vec<String>), String> {
    let dir = Dir::new();
    for (i, file) in (0..).zip(files) {
        parquet(&dir, file, 10 * i..10 * i + if i == 0 { 4 } else { 2 });
    }
    let options = OpenOptions {
        name: name.map(str::to_owned),
        ..OpenOptions::default()
    };
    let task = dir.open_with(&options).map_err(|error| dir.told(&error))?;
    let val = task.val.as_ref().map_or(0, vlpt_data::Split::len);
    let counts = [task.train.len(), val, task.test.len()];
    Ok((counts, task.provenance.notes))
}

#[test]
fn test_files_are_never_trained_on_whatever_they_are_called() {
    for files in [
        [
            "data/train-00000-of-00001.parquet",
            "data/test-00000-of-00001.parquet",
        ],
        [
            "data/train-00000-of-00001-5d8e5a8b2c0c9f3f.parquet",
            "data/test-00000-of-00001-8a3b2f1e9d7c6b5a.parquet",
        ],
        ["shapes-train.parquet", "shapes-test.parquet"],
        [
            "shapes-train-00000-of-00001.parquet",
            "shapes-test-00000-of-00001.parquet",
        ],
        ["train-00000.parquet", "test-00000.parquet"],
        ["train.parquet", "test.parquet"],
        ["train/0000.parquet", "test/0000.parquet"],
        ["default/train/0000.parquet", "default/test/0000.parquet"],
        [
            "default/partial-train/0000.parquet",
            "default/test/0000.parquet",
        ],
        ["data/train/a.parquet", "data/test/b.parquet"],
        ["train_images.parquet", "test_images.parquet"],
        ["Training.parquet", "evaluation.parquet"],
        [
            "train/part-00000-x.c000.parquet",
            "test/part-00000-y.c000.parquet",
        ],
        ["train.parquet", "shapes_test.parquet"],
        ["train.PARQUET", "TEST.Parquet"],
    ] {
        let (found, notes) = counts(&files, None).expect("it opens");
        assert_eq!(found, [4, 0, 2], "{files:?} {notes:?}");
    }
}

#[test]
fn names_that_say_no_split_stop_beside_others() {
    for (files, unclear) in [
        (["train.parquet", "holdout.parquet"], "DIR/holdout.parquet"),
        (["cats.parquet", "dogs.parquet"], "DIR/cats.parquet"),
        (["data/a.parquet", "data/b.parquet"], "DIR/data/a.parquet"),
    ] {
        let error = counts(&files, None).expect_err("one is unclear");
        let start = format!("{unclear}: the name says no split; beside it lie ");
        assert!(error.starts_with(&start), "{error}");
        assert!(
            error.contains("expected `train`, `validation` or `test`"),
            "{error}"
        );
    }
}

#[test]
fn other_splits_are_told_and_passed_over() {
    for (other, told) in [
        ("extra-00000-of-00001.parquet", "the split `extra`"),
        (
            "train_extra-00000-of-00001.parquet",
            "files called `train_extra`",
        ),
    ] {
        let files = [
            "train-00000-of-00001.parquet",
            "test-00000-of-00001.parquet",
            other,
        ];
        let (found, notes) = counts(&files, None).expect("it opens");
        assert_eq!(found, [4, 0, 2]);
        assert!(notes.iter().any(|note| note.starts_with(told)), "{notes:?}");
    }
}

#[test]
fn one_list_is_split_by_seed_and_said() {
    for files in [
        &["photos.parquet"][..],
        &["0000.parquet", "0001.parquet"],
        &["data/train.parquet"],
    ] {
        let (found, notes) = counts(files, None).expect("it opens");
        assert_eq!(found.iter().sum::<usize>(), 4 + 2 * (files.len() - 1));
        assert!(found[0] > 0 && found[2] > 0);
        let told = "there is one list of images only: split by seed 0";
        assert!(notes.iter().any(|note| note.starts_with(told)), "{notes:?}");
    }
}

#[test]
fn sets_of_several_names_are_chosen_by_name() {
    let files = [
        "cats-train.parquet",
        "cats-test.parquet",
        "dogs-train.parquet",
    ];
    let error = counts(&files, None).expect_err("there are two");
    assert!(
        error.contains("files of several names: found cats, dogs"),
        "{error}"
    );
    let (found, _) = counts(&files, Some("cats")).expect("it opens");
    assert_eq!(found, [4, 0, 2]);
}

#[test]
fn the_largest_number_of_a_shard_is_a_number_like_others() {
    let error = counts(
        &["train-18446744073709551615.parquet", "test.parquet"],
        None,
    );
    let error = error.expect_err("others are missing");
    assert!(
        error.contains("DIR/train-00000000000000000001.parquet"),
        "{error}"
    );
}

#[test]
fn what_is_missing_or_left_over_is_named() {
    for (files, told) in [
        (
            &[
                "train-00000-of-00003.parquet",
                "train-00002-of-00003.parquet",
            ][..],
            "needs DIR/train-00001-of-00003.parquet, which does not exist",
        ),
        (
            &["train-00000.parquet", "train-00002.parquet"],
            "needs DIR/train-00001.parquet, which does not exist",
        ),
        (
            &["train/0000.parquet", "train/0003.parquet"],
            "needs DIR/train/0001.parquet, which does not exist",
        ),
        (
            &["train-00001-of-00002-5d8e5a8b2c0c9f3f.parquet"],
            "needs DIR/train-00000-of-00002.parquet, which does not exist",
        ),
        (
            &[
                "train-00000-of-00001.parquet",
                "train-00000-of-00002.parquet",
                "train-00001-of-00002.parquet",
            ],
            "train split: found both `train-00000-of-00001.parquet` and `train-00000-of-00002.parquet`",
        ),
        (
            &[
                "train-00000-of-00001-5d8e5a8b2c0c9f3f.parquet",
                "train-00000-of-00001-8a3b2f1e9d7c6b5a.parquet",
            ],
            "train split: found both",
        ),
        (
            &["train.parquet", "data/train.parquet"],
            "train split: found both",
        ),
        (
            &["val.parquet", "validation.parquet"],
            "val split: found both",
        ),
    ] {
        let error = counts(files, None).expect_err("something is wrong");
        assert!(error.contains(told), "{error}");
    }
}

#[test]
fn a_file_of_its_own_keeps_the_split_that_it_says() {
    let dir = Dir::new();
    parquet(&dir, "test-00000-of-00002.parquet", 0..4);
    let path = dir.path("test-00000-of-00002.parquet");
    let task = open(&path, &OpenOptions::default()).expect("it opens");
    assert_eq!((task.train.len(), task.test.len()), (0, 4));
    let notes = task.provenance.notes.join("\n");
    assert!(notes.contains("only shard 0 of 2"), "{notes}");
}
