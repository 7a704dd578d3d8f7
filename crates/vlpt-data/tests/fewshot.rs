//! Few-shot subsets: what is stored, what is refused, and equality with subsets published as files.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::path::Path;

use vlpt_data::archive::Root;
use vlpt_data::fewshot::few_shot_stream;
use vlpt_data::{
    DataError, FewShotRule, Format, OpenOptions, Shots, Subset, Task, few_shot, few_shot_of, open,
};

/// 40 training and 12 validation images of 4 classes.
fn small(folder: &Path) -> Task {
    let root = Root::open(folder).unwrap();
    let labels = |n: u32| -> Vec<[u32; 1]> { (0..n).map(|i| [i % 4]).collect() };
    let train = common::split(&root, "train/", &labels(40));
    let val = common::split(&root, "val/", &labels(12));
    let test = common::split(&root, "test/", &labels(8));
    common::task(folder, "small", 4, (train, Some(val), test))
}

fn hint(error: &DataError) -> String {
    error.hint().unwrap_or_default()
}

#[test]
fn a_stored_subset_comes_back_and_names_its_images() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let subset = few_shot(&task, FewShotRule::Coop, 2, 0).unwrap();
    let path = folder.path().join("shots.json");
    subset.save(&path).unwrap();
    let again = Subset::load(&path, &task).unwrap();
    assert_eq!(again, subset);
    let (train, val) = again.splits(&task).unwrap();
    assert_eq!((train.len(), val.len()), (8, 8));
    assert_eq!(train.class_counts(4), [2, 2, 2, 2]);
    let ids: Vec<String> = train.samples.iter().map(|item| item.image.id()).collect();
    assert_eq!(ids, subset.train);
    assert!(
        val.samples
            .iter()
            .all(|item| item.image.id().starts_with("val/"))
    );
    let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(files.len(), 1, "nothing is left beside the file");
}

#[test]
fn an_edited_subset_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let subset = few_shot(&task, FewShotRule::Elevater, 5, 3).unwrap();
    let path = folder.path().join("shots.json");
    subset.save(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"seed\": 3", "\"seed\": 4", 1)).unwrap();
    let error = Subset::load(&path, &task).unwrap_err();
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert!(hint(&error).contains("draw the subset again"));
    std::fs::write(&path, "{\"task\": 1}").unwrap();
    let error = Subset::load(&path, &task).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("shots.json: not a few-shot subset"),
        "{error}"
    );
}

#[test]
fn images_that_the_task_lacks_are_counted_and_the_first_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = small(folder.path());
    let subset = few_shot(&task, FewShotRule::Coop, 3, 1).unwrap();
    task.train
        .samples
        .retain(|item| item.image.id() != subset.train[4] && item.labels != [3]);
    let error = subset.indices(&task).unwrap_err();
    let expected = format!(
        "few-shot subset of small: 4 of its 12 images are not in the train split, the first is {}",
        subset.train[4]
    );
    assert_eq!(error.to_string(), expected);
    task.name = "other".to_owned();
    let error = subset.indices(&task).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the few-shot subset was drawn from small, not from other"
    );
}

#[test]
fn an_image_listed_twice_is_found_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = small(folder.path());
    let first = task.train.samples[0].clone();
    task.train.samples.push(first);
    let subset = few_shot_of(&task, FewShotRule::Coop, Shots::All, 0).unwrap();
    let (train, val) = subset.indices(&task).unwrap();
    assert_eq!(train, (0..41).collect::<Vec<_>>());
    assert_eq!(val, (0..12).collect::<Vec<_>>());
}

#[test]
fn seeds_differ_and_zero_is_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    for rule in [FewShotRule::Coop, FewShotRule::Elevater] {
        let draw = |seed| few_shot(&task, rule, 4, seed).unwrap().train;
        assert_eq!(draw(0), draw(0));
        assert_ne!(draw(0), draw(1));
        assert_ne!(draw(0), draw(u64::MAX));
    }
}

#[test]
fn more_shots_than_images_take_them_all() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let subset = few_shot(&task, FewShotRule::Coop, 100, 0).unwrap();
    assert_eq!((subset.train.len(), subset.val.len()), (40, 12));
    let subset = few_shot(&task, FewShotRule::Elevater, 100, 0).unwrap();
    assert_eq!((subset.train.len(), subset.val.len()), (32, 8));
}

#[test]
fn elevater_parts_five_shots_four_to_one_and_validates_one_shot_on_itself() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let (train, val) = few_shot(&task, FewShotRule::Elevater, 5, 0)
        .unwrap()
        .splits(&task)
        .unwrap();
    assert_eq!(train.class_counts(4), [4, 4, 4, 4]);
    assert_eq!(val.class_counts(4), [1, 1, 1, 1]);
    let one = few_shot(&task, FewShotRule::Elevater, 1, 0).unwrap();
    assert_eq!(one.train, one.val);
    assert_eq!(one.train.len(), 4);
}

#[test]
fn zero_shots_and_empty_splits_are_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = small(folder.path());
    let error = few_shot(&task, FewShotRule::Coop, 0, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "0 shots of small: a subset needs at least 1 image a class"
    );
    assert!(hint(&error).contains("`all`"));
    task.train.samples.clear();
    let error = few_shot(&task, FewShotRule::Coop, 1, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "small has no training images to draw from"
    );
}

#[test]
fn labels_that_a_rule_cannot_take_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = small(folder.path());
    task.train.samples[7].labels = vec![1, 2];
    let error = few_shot(&task, FewShotRule::Coop, 1, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "small: train/7 has 2 labels, and this rule needs exactly 1"
    );
    assert!(hint(&error).contains("elevater"));
    task.train.samples[7].labels = vec![9];
    let error = few_shot(&task, FewShotRule::Elevater, 1, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "small: train/7 has label 9, but there are 4 classes (0 to 3)"
    );
}

#[test]
fn shots_are_read_from_words_and_numbers() {
    assert_eq!("16".parse::<Shots>().unwrap(), Shots::Count(16));
    assert_eq!("all".parse::<Shots>().unwrap(), Shots::All);
    for bad in ["0", "-1", "few", ""] {
        assert!(bad.parse::<Shots>().is_err(), "{bad}");
    }
    assert_eq!(serde_json::to_string(&Shots::All).unwrap(), "\"all\"");
    assert_eq!(serde_json::from_str::<Shots>("4").unwrap(), Shots::Count(4));
    assert!("cop".parse::<FewShotRule>().is_err());
}

#[test]
fn the_usual_rule_follows_the_layout_and_the_labels() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = small(folder.path());
    assert_eq!(FewShotRule::usual(&task), FewShotRule::Coop);
    task.multi_label = true;
    assert_eq!(FewShotRule::usual(&task), FewShotRule::Elevater);
    task.multi_label = false;
    task.provenance.format = Format::Elevater;
    assert_eq!(FewShotRule::usual(&task), FewShotRule::Elevater);
}

#[test]
fn the_second_task_of_a_stream_depends_on_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let task = small(folder.path());
    let stream = few_shot_stream(&[&task, &task], Shots::Count(2), 5).unwrap();
    let alone = few_shot(&task, FewShotRule::Coop, 2, 5).unwrap();
    assert_eq!(stream[0].train, alone.train);
    assert_ne!(stream[1].train, alone.train);
    assert_eq!(stream[1].drawn_with, ["small", "small"]);
    assert_ne!(
        stream[0].sha256, alone.sha256,
        "the hash covers how it was drawn"
    );
}

/// Few-shot indices that were published beside CoOp's split files, seed 1: the CoOp rule over the
/// train and val lists in the order of the split file.
#[test]
fn published_subsets_are_drawn_again() {
    let Some(splits) = common::shared("spec/data/splits") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = Root::open(folder.path()).unwrap();
    let sets = [
        ("caltech101", "Caltech101"),
        ("dtd", "DescribableTextures"),
        ("eurosat", "EuroSAT"),
        ("oxford_flowers", "OxfordFlowers"),
        ("oxford_pets", "OxfordPets"),
    ];
    for (name, file) in sets {
        let read = |path: &str| -> serde_json::Value {
            serde_json::from_str(&std::fs::read_to_string(splits.join(path)).unwrap()).unwrap()
        };
        let split_file = read(&format!("split_zhou_{file}.json"));
        let rows = |part: &str| split_file[part].as_array().unwrap().clone();
        let labels = |part: &str| -> Vec<[u32; 1]> {
            rows(part)
                .iter()
                .map(|row| [row[1].as_u64().unwrap() as u32])
                .collect()
        };
        let (train, val) = (labels("train"), labels("val"));
        let classes = train.iter().map(|l| l[0] as usize + 1).max().unwrap();
        let train = common::split(&root, "", &train);
        let val = common::split(&root, "", &val);
        let task = common::task(
            folder.path(),
            name,
            classes,
            (train, Some(val.clone()), val),
        );
        for shots in [1, 2, 4, 8, 16] {
            let published = read(&format!("indices/{name}/shot_{shots}-seed_1.json"));
            let subset = few_shot(&task, FewShotRule::Coop, shots, 1).unwrap();
            for (part, ids) in [("train", &subset.train), ("val", &subset.val)] {
                let rows = rows(part);
                let wanted = published[part]["data"].as_array().unwrap();
                assert_eq!(ids.len(), wanted.len(), "{name} {shots} {part}");
                for (id, wanted) in ids.iter().zip(wanted) {
                    let path = rows[id.parse::<usize>().unwrap()][0].as_str().unwrap();
                    let whole = wanted["impath"].as_str().unwrap();
                    assert!(
                        whole.ends_with(&format!("/{path}")),
                        "{name} {shots}: {path} {whole}"
                    );
                }
            }
        }
    }
}

/// The same through the reader: a real folder, whose split file is a part of CoOp's.
#[test]
fn a_real_set_is_drawn_from_stored_and_read_back() {
    let Some(path) = common::shared("data/coop/eurosat") else {
        return;
    };
    let task = open(&path, &OpenOptions::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let subset = few_shot(&task, FewShotRule::Coop, 16, 0).unwrap();
    assert_eq!((subset.train.len(), subset.val.len()), (160, 40));
    assert!(
        subset.train[0].starts_with("2750/AnnualCrop/"),
        "{}",
        subset.train[0]
    );
    let file = folder.path().join("subset.json");
    subset.save(&file).unwrap();
    let (train, _) = Subset::load(&file, &task).unwrap().splits(&task).unwrap();
    assert_eq!(train.class_counts(10), [16; 10]);
}
