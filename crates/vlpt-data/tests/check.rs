//! The check of a data set: planted faults are found, whole sets pass, threads do not matter.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use vlpt_data::archive::Root;
use vlpt_data::catalogue::find;
use vlpt_data::check::{CheckOptions, CheckReport, Level, Sameness, check};
use vlpt_data::synthetic;
use vlpt_data::{Format, OpenOptions, Task, open};

fn silent(_done: u64, _total: u64) {}

fn texts(report: &CheckReport, level: Level) -> Vec<&str> {
    report
        .findings
        .iter()
        .filter(|f| f.level == level)
        .map(|f| &f.text[..])
        .collect()
}

/// A task of `train` and `test` labels whose images are drawn into `folder`, each another one.
fn drawn_files(folder: &Path, train: &[Vec<u32>], test: &[Vec<u32>], classes: usize) -> Task {
    let pictures = synthetic::task("shapes", 0).unwrap();
    let root = Root::open(folder).unwrap();
    let train = common::split(&root, "train-", train);
    let test = common::split(&root, "test-", test);
    for (item, picture) in train
        .samples
        .iter()
        .chain(&test.samples)
        .zip(&pictures.train.samples)
    {
        std::fs::write(folder.join(item.image.id()), picture.image.read().unwrap()).unwrap();
    }
    common::task(folder, "photos", classes, (train, None, test))
}

/// Two classes, 6 training and 4 test images, nothing wrong.
fn sound(folder: &Path) -> Task {
    let labels = |n: u32| -> Vec<Vec<u32>> { (0..n).map(|i| vec![i % 2]).collect() };
    drawn_files(folder, &labels(6), &labels(4), 2)
}

#[test]
fn a_sound_set_has_no_findings() {
    let folder = tempfile::tempdir().unwrap();
    let report = check(&sound(folder.path()), &CheckOptions::default(), &silent);
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(!report.has_errors());
    assert_eq!(report.splits[0].class_counts, [3, 3]);
    let sizes = report.splits[0].sizes.as_ref().unwrap();
    assert_eq!(
        sizes
            .formats
            .iter()
            .map(|(name, n)| (*name, *n))
            .collect::<Vec<_>>(),
        [("PNG", 6)]
    );
    assert_eq!(sizes.width.min, sizes.width.max);
}

#[test]
fn broken_images_are_listed_with_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let task = sound(folder.path());
    let at = |name: &str| folder.path().join(name);
    let whole = std::fs::read(at("train-1")).unwrap();
    std::fs::write(at("train-1"), &whole[..whole.len() / 2]).unwrap();
    std::fs::write(at("train-4"), b"").unwrap();
    std::fs::write(at("test-0"), b"<html>not found</html>").unwrap();
    std::fs::remove_file(at("test-3")).unwrap();
    let report = check(&task, &CheckOptions::default(), &silent);
    let ids: Vec<(&str, &str)> = report.broken.iter().map(|b| (b.split, &b.id[..])).collect();
    assert_eq!(
        ids,
        [
            ("train", "train-1"),
            ("train", "train-4"),
            ("test", "test-0"),
            ("test", "test-3")
        ]
    );
    let errors = texts(&report, Level::Error);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("4 images cannot be read, the first in train: train-1"),
        "{errors:?}"
    );
    assert!(report.broken[2].hint.is_some());

    let unread = CheckOptions {
        decode: false,
        ..CheckOptions::default()
    };
    let report = check(&task, &unread, &silent);
    assert_eq!(
        report.broken.len(),
        1,
        "without decoding only the absent file is noticed"
    );
    assert!(report.splits[0].sizes.is_none());
}

#[test]
fn the_same_image_in_train_and_test_is_found_with_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let task = sound(folder.path());
    let at = |name: &str| folder.path().join(name);
    std::fs::copy(at("train-0"), at("test-2")).unwrap();
    std::fs::copy(at("train-0"), at("test-3")).unwrap();
    std::fs::copy(at("train-2"), at("train-5")).unwrap();
    let report = check(&task, &CheckOptions::default(), &silent);
    let groups: Vec<Vec<&str>> = report
        .duplicates
        .iter()
        .map(|group| group.images.iter().map(|place| &place.id[..]).collect())
        .collect();
    assert_eq!(
        groups,
        [
            vec!["train-0", "test-2", "test-3"],
            vec!["train-2", "train-5"]
        ]
    );
    assert_eq!(report.overlaps.len(), 1);
    assert_eq!(
        (report.overlaps[0].first, report.overlaps[0].second),
        ("train", "test")
    );
    assert_eq!(report.overlaps[0].images, 2);
    let warnings = texts(&report, Level::Warning);
    assert_eq!(
        warnings,
        [
            "2 of 4 test images are in train too (50.00 %)",
            "2 images occur with different labels, the first as train-0 ([0]) and test-3 ([1])",
        ]
    );
    assert_eq!(
        texts(&report, Level::Note),
        ["2 images occur more than once within a split"]
    );
}

#[test]
fn one_picture_in_two_files_is_found_when_pixels_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let task = sound(folder.path());
    let mut bytes = std::fs::read(folder.path().join("train-0")).unwrap();
    bytes.extend_from_slice(b"\0\0\0\0");
    std::fs::write(folder.path().join("test-0"), bytes).unwrap();
    let report = check(&task, &CheckOptions::default(), &silent);
    assert!(report.duplicates.is_empty());
    let options = CheckOptions {
        pixels: true,
        ..CheckOptions::default()
    };
    let report = check(&task, &options, &silent);
    assert_eq!(report.duplicates.len(), 1);
    assert_eq!(report.duplicates[0].same, Sameness::Pixels);
    assert_eq!(report.overlaps[0].images, 1);
}

#[test]
fn labels_that_cannot_be_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = sound(folder.path());
    task.train.samples[1].labels = vec![7];
    task.train.samples[2].labels = vec![];
    task.train.samples[3].labels = vec![0, 1, 1];
    let report = check(&task, &CheckOptions::default(), &silent);
    assert_eq!(
        texts(&report, Level::Error),
        [
            "1 train image with a label that is no class (there are 2), the first is train-1 ([7])",
            "1 train image with no label, the first is train-2 ([])",
            "1 train image with several labels in a task of one label an image, the first is train-3 ([0, 1, 1])",
            "1 train image with one label twice, the first is train-3 ([0, 1, 1])",
        ]
    );
    task.multi_label = true;
    task.train.samples[3].labels = vec![0, 1];
    let report = check(&task, &CheckOptions::default(), &silent);
    assert_eq!(
        report.count(Level::Error),
        1,
        "several labels and none are fine in a multi-label task"
    );
    assert_eq!(report.splits[0].negatives, 1);
}

#[test]
fn class_names_that_make_bad_texts_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = sound(folder.path());
    let mut warnings = |names: [&str; 2]| -> Vec<String> {
        task.classes = names.map(str::to_owned).to_vec();
        let report = check(&task, &CheckOptions::default(), &silent);
        texts(&report, Level::Warning)
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    assert_eq!(
        warnings(["Sea_Lion", "sea lion"]),
        ["classes [0, 1] are all called `Sea_Lion`"]
    );
    assert_eq!(
        warnings(["n01440764", "n01443537"]),
        ["class names are WordNet ids: `n01440764`, `n01443537`"]
    );
    assert_eq!(warnings(["0", "1"]), ["class names are numbers: `0`, `1`"]);
    assert!(warnings(["737-200", "cat"]).is_empty());
}

#[test]
fn classes_and_splits_without_images_are_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = drawn_files(folder.path(), &[vec![0], vec![0]], &[], 3);
    task.classes = ["cat", "dog", "owl"].map(str::to_owned).to_vec();
    let report = check(&task, &CheckOptions::default(), &silent);
    assert_eq!(
        texts(&report, Level::Warning),
        [
            "2 classes without images in train: `dog`, `owl`",
            "the test split has no images"
        ]
    );
}

#[test]
fn differences_from_the_catalogue_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = sound(folder.path());
    let entry = find("eurosat_clip").unwrap();
    task.name = "eurosat_clip".to_owned();
    task.classes = entry.classes.clone().unwrap();
    task.classes[1] = "Forest".to_owned();
    task.classes[2] = "shrubs".to_owned();
    task.classes.swap(8, 9);
    let report = check(&task, &CheckOptions::default(), &silent);
    let comparison = report.catalogue.as_ref().unwrap();
    assert_eq!(comparison.entry, "elevater/eurosat_clip");
    assert_eq!(comparison.renamed.len(), 1);
    assert_eq!(comparison.renamed[0].found, "shrubs");
    assert_eq!(comparison.moved, 2);
    assert_eq!(comparison.counts.len(), 3);
    assert!(!comparison.is_equal());
    assert!(
        comparison.traps.iter().all(|trap| !trap.contains("zip")),
        "it was not read from zips"
    );
    let warnings = texts(&report, Level::Warning);
    assert!(
        warnings.contains(&"train has 6 images, elevater/eurosat_clip has 5000"),
        "{warnings:?}"
    );
    assert!(
        warnings.contains(&"there is no val split, elevater/eurosat_clip has one of 5000 images")
    );

    task.provenance.format = Format::Elevater;
    let report = check(&task, &CheckOptions::default(), &silent);
    assert!(
        report
            .catalogue
            .unwrap()
            .traps
            .iter()
            .any(|trap| trap.contains("2750.zip"))
    );
}

#[test]
fn a_name_that_happens_to_be_a_benchmarks_is_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = sound(folder.path());
    task.name = "flowers".to_owned();
    let report = check(&task, &CheckOptions::default(), &silent);
    assert!(report.catalogue.is_none());
    let options = CheckOptions {
        entry: find("flowers"),
        ..CheckOptions::default()
    };
    let report = check(&task, &options, &silent);
    assert_eq!(report.catalogue.unwrap().missing.len(), 102);
}

#[test]
fn any_name_of_a_class_counts_as_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = sound(folder.path());
    task.name = "fer-2013".to_owned();
    task.classes = [
        "angry",
        "disgusted",
        "fearful",
        "smiling",
        "bored",
        "sad",
        "shocked",
    ]
    .map(str::to_owned)
    .to_vec();
    let report = check(&task, &CheckOptions::default(), &silent);
    let comparison = report.catalogue.unwrap();
    assert!(comparison.renamed.is_empty() && comparison.missing.is_empty());
}

#[test]
fn the_report_does_not_depend_on_threads_and_progress_reaches_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let task = sound(folder.path());
    std::fs::copy(folder.path().join("train-0"), folder.path().join("test-2")).unwrap();
    std::fs::write(folder.path().join("train-3"), b"no image").unwrap();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let last = AtomicU64::new(0);
        let seen = |done: u64, total: u64| {
            assert_eq!(total, 10);
            last.fetch_max(done, Ordering::Relaxed);
        };
        let report = pool.install(|| check(&task, &CheckOptions::default(), &seen));
        assert_eq!(last.into_inner(), 10);
        serde_json::to_string(&report).unwrap()
    };
    let one = with(1);
    assert_eq!(one, with(4));
    assert_eq!(one, with(7));
}

#[test]
fn the_text_says_it_all_on_one_page() {
    let folder = tempfile::tempdir().unwrap();
    let task = sound(folder.path());
    let at = |name: &str| folder.path().join(name);
    std::fs::copy(at("train-0"), at("test-2")).unwrap();
    std::fs::write(at("train-1"), b"<html>").unwrap();
    std::fs::write(at("test-3"), b"").unwrap();
    let text = check(&task, &CheckOptions::default(), &silent).to_string();
    insta::assert_snapshot!(text.replace(&folder.path().display().to_string(), "FOLDER"));
}

#[test]
fn real_sets_in_five_layouts_are_whole() {
    let sets = [
        ("data/coop/eurosat", "coop/EuroSAT"),
        ("data/coop/dtd", "coop/DescribableTextures"),
        ("data/coop/caltech-101", "coop/Caltech101"),
        (
            "data/elevater/classification/gtsrb_20210923",
            "elevater/gtsrb",
        ),
        (
            "data/elevater/classification/mnist_20211008",
            "elevater/mnist",
        ),
        ("data/wds/wds_cifar10", "elevater/cifar-10"),
        ("data/hf/cifar100", "elevater/cifar-100"),
        ("data/imagefolder/imagenet20", ""),
    ];
    for (path, entry) in sets {
        let Some(path) = common::shared(path) else {
            continue;
        };
        let task = open(&path, &OpenOptions::default()).unwrap();
        let report = check(&task, &CheckOptions::default(), &silent);
        eprintln!("{report}");
        assert!(
            !report.has_errors(),
            "{}: {:?}",
            path.display(),
            texts(&report, Level::Error)
        );
        assert!(report.broken.is_empty());
        let compared = report
            .catalogue
            .as_ref()
            .map_or("", |comparison| &comparison.entry);
        assert_eq!(compared, entry, "{}", path.display());
    }
}
