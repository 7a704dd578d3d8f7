//! Lists of images and labels beside folders of images.

use vlpt_data::{Format, OpenOptions, Shots, Subset, open, write_list};

use super::archives::opened;
use crate::parts::split;
use crate::promise::told;
use crate::scratch::Scratch;
use crate::seeds;

/// An ELEVATER folder of these index files and this zip.
pub(super) fn index_files(bytes: &[u8]) -> bool {
    let [labels, train, zip] = split::<3>(bytes);
    let scratch = Scratch::new();
    scratch.file("labels.txt", labels);
    scratch.file("train.txt", train);
    scratch.file("test.txt", train);
    scratch.file("train.zip", zip);
    opened(&scratch, &OpenOptions::default())
}

/// A split file of CoOp's kind beside two images.
pub(super) fn split_file(bytes: &[u8]) -> bool {
    let scratch = with_images("2750");
    scratch.file("split_zhou_EuroSAT.json", bytes);
    opened(&scratch, &OpenOptions::default())
}

/// A few-shot list as JSON Lines.
pub(super) fn list_jsonl(bytes: &[u8]) -> bool {
    list("list.jsonl", bytes)
}

/// A few-shot list as a pickle.
pub(super) fn list_pickle(bytes: &[u8]) -> bool {
    list("list.pkl", bytes)
}

/// Reads a list beside a set of two images; one that fits is written and read again.
fn list(name: &str, bytes: &[u8]) -> bool {
    let scratch = with_images("set/2750");
    scratch.file("set/split_zhou_EuroSAT.json", &seeds::split_files()[0]);
    let file = scratch.file(name, bytes);
    let task = open(&scratch.path().join("set"), &OpenOptions::default()).expect("a whole set");
    let subset = match Subset::of_file(&file, &task, Shots::All) {
        Ok(subset) => subset,
        Err(error) => return told(&error, error.hint()),
    };
    let written = write_list(&scratch.path().join("again.pkl"), &task, &subset, None)
        .expect("as it was read");
    let again = Subset::of_file(&written[0], &task, Shots::All).expect("as it was written");
    assert_eq!((again.train, again.val), (subset.train, subset.val));
    true
}

/// A manifest as CSV, recognised and named.
pub(super) fn manifest_csv(bytes: &[u8]) -> bool {
    manifest("m.csv", Format::Csv, bytes)
}

/// A manifest as JSON Lines, recognised and named.
pub(super) fn manifest_jsonl(bytes: &[u8]) -> bool {
    manifest("m.jsonl", Format::Jsonl, bytes)
}

fn manifest(name: &str, format: Format, bytes: &[u8]) -> bool {
    let scratch = with_images("i");
    scratch.file(name, bytes);
    let accepted = opened(&scratch, &OpenOptions::default());
    let named = OpenOptions {
        format: Some(format),
        image_column: Some("file".to_owned()),
        label_column: Some("kind".to_owned()),
        skip_missing_images: true,
        ..OpenOptions::default()
    };
    opened(&scratch, &named) || accepted
}

/// A COCO file of an ELEVATER folder, for training and test, and its zip.
pub(super) fn coco(bytes: &[u8]) -> bool {
    let [index, zip] = split::<2>(bytes);
    let scratch = Scratch::new();
    scratch.file("train_meta.json", index);
    scratch.file("test_meta.json", index);
    scratch.file("train.zip", zip);
    opened(&scratch, &OpenOptions::default())
}

/// FiftyOne's labels.json beside two images.
pub(super) fn fiftyone(bytes: &[u8]) -> bool {
    let scratch = with_images("data");
    scratch.file("labels.json", bytes);
    let named = OpenOptions {
        format: Some(Format::FiftyOne),
        skip_missing_images: true,
        ..OpenOptions::default()
    };
    opened(&scratch, &named)
}

/// The JSON files that `save_to_disk` writes beside Arrow files: of the set, of its parts and of the columns.
pub(super) fn saved_set(bytes: &[u8]) -> bool {
    let [dict, state, info] = split::<3>(bytes);
    let scratch = Scratch::new();
    scratch.file("dataset_dict.json", dict);
    for part in ["train", "test"] {
        scratch.file(&format!("{part}/state.json"), state);
        scratch.file(&format!("{part}/dataset_info.json"), info);
        scratch.file(&format!("{part}/data.arrow"), &seeds::good_arrow());
    }
    opened(&scratch, &OpenOptions::default())
}

/// A few-shot subset of a task that the program draws.
pub(super) fn subset(bytes: &[u8]) -> bool {
    let scratch = Scratch::new();
    match Subset::load(&scratch.file("subset.json", bytes), seeds::task()) {
        Ok(subset) => {
            subset.splits(seeds::task()).expect("it was checked");
            true
        }
        Err(error) => told(&error, error.hint()),
    }
}

fn with_images(folder: &str) -> Scratch {
    let scratch = Scratch::new();
    for name in ["a.png", "b.png"] {
        scratch.file(&format!("{folder}/{name}"), &seeds::good_png());
    }
    scratch
}
