//! What every synthetic task promises.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::*;
use crate::image::{Limits, decode};
use crate::sample::Sample;
use crate::task::Split;

fn pictures(split: &Split) -> Vec<Vec<u8>> {
    let load = |sample: &Sample| {
        sample
            .load(&Limits::default())
            .expect("drawing cannot fail")
            .data
    };
    split.samples.iter().map(load).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[test]
fn every_class_has_the_same_number_of_images_in_every_split() {
    for name in names() {
        let task = task(name, 0).unwrap();
        let classes = task.classes.len();
        assert_eq!(
            task.train.class_counts(classes),
            vec![TRAIN_PER_CLASS; classes],
            "{name}"
        );
        let val = task.val.as_ref().unwrap();
        assert_eq!(
            val.class_counts(classes),
            vec![VAL_PER_CLASS; classes],
            "{name}"
        );
        assert_eq!(
            task.test.class_counts(classes),
            vec![TEST_PER_CLASS; classes],
            "{name}"
        );
    }
}

#[test]
fn a_path_may_name_a_task_in_the_new_and_the_old_spelling() {
    assert_eq!(name_in("synthetic:shapes"), Some("shapes"));
    assert_eq!(name_in("drawn:shapes"), Some("shapes"));
    for path in ["shapes", "photos/synthetic:shapes", ""] {
        assert_eq!(name_in(path), None, "{path}");
    }
}

#[test]
fn no_image_occurs_twice_within_a_task() {
    for name in names() {
        let task = task(name, 0).unwrap();
        let mut seen = BTreeSet::new();
        let mut images = 0;
        for split in [&task.train, task.val.as_ref().unwrap(), &task.test] {
            images += split.len();
            seen.extend(pictures(split));
        }
        assert_eq!(seen.len(), images, "{name}: an image occurs twice");
    }
}

#[test]
fn another_seed_gives_other_images() {
    for name in names() {
        let (first, second) = (task(name, 0).unwrap(), task(name, 1).unwrap());
        let (first, second) = (&first.train.samples[0], &second.train.samples[0]);
        let limits = Limits::default();
        assert_ne!(
            first.load(&limits).unwrap(),
            second.load(&limits).unwrap(),
            "{name}"
        );
        assert_ne!(first.image.id(), second.image.id(), "{name}");
    }
}

#[test]
fn an_image_does_not_depend_on_what_was_drawn_before() {
    let task = task("shapes", 3).unwrap();
    let last = task
        .test
        .samples
        .last()
        .unwrap()
        .load(&Limits::default())
        .unwrap();
    assert_eq!(pictures(&task.test).last().unwrap(), &last.data);
}

#[test]
fn the_png_of_an_image_decodes_to_the_image() {
    let task = task("digits", 0).unwrap();
    let sample = &task.train.samples[4];
    let bytes = sample.image.read().unwrap();
    let decoded = decode(&bytes, "digits", &Limits::default()).unwrap();
    assert_eq!(decoded, sample.load(&Limits::default()).unwrap());
}

#[test]
fn an_unknown_name_is_refused_with_the_nearest_one() {
    let error = task("shape", 0).unwrap_err();
    assert!(error.to_string().contains("shape"));
    assert!(
        error.hint().unwrap().contains("shapes"),
        "{:?}",
        error.hint()
    );
}

#[test]
fn names_are_sorted_and_fit_a_random_key() {
    assert!(names().is_sorted());
    assert!(
        names()
            .iter()
            .map(|name| &name[..name.len().min(8)])
            .is_sorted()
    );
    let distinct: BTreeSet<_> = names()
        .iter()
        .map(|n| &n[n.len().saturating_sub(8)..])
        .collect();
    assert_eq!(distinct.len(), names().len());
}

/// Caches of features are found by the hash of these bytes.
#[test]
fn a_png_file_has_the_bytes_that_the_image_crate_writes() {
    let task = task("shapes", 0).unwrap();
    for sample in &task.train.samples[..4] {
        let picture = sample.load(&Limits::default()).unwrap();
        let mut file = std::io::Cursor::new(Vec::new());
        ::image::write_buffer_with_format(
            &mut file,
            &picture.data,
            picture.width,
            picture.height,
            ::image::ExtendedColorType::Rgb8,
            ::image::ImageFormat::Png,
        )
        .unwrap();
        assert_eq!(sample.image.read().unwrap(), file.into_inner());
    }
}

/// Any change of these values changes what `vlpt demo` shows and every number measured on synthetic
/// tasks; a difference on another machine alone is a bug of the arithmetic.
#[test]
fn the_pictures_are_the_same_to_the_byte() {
    let mut lines = String::new();
    for name in names() {
        let task = task(name, 0).unwrap();
        let mut hash = Sha256::new();
        for split in [&task.train, task.val.as_ref().unwrap(), &task.test] {
            for picture in pictures(split) {
                hash.update(&picture);
            }
        }
        let _ = writeln!(lines, "{name} {}", hex(&hash.finalize()));
    }
    insta::assert_snapshot!(lines);
}
