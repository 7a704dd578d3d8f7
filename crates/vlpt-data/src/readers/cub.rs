//! CUB-200-2011 and sets with index files like its: `images.txt`, `image_class_labels.txt`,
//! `classes.txt` and `train_test_split.txt` beside `images/`, lines of a number and a value.

use std::collections::BTreeMap;
use std::path::Path;

use super::folders::{base_name, file_sample};
use super::layout::{Gives, Item, Layout};
use super::missing::Missing;
use super::task_builder::TaskBuilder;
use super::text::lines;
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str =
    "images.txt, image_class_labels.txt and classes.txt (and train_test_split.txt) beside images/";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "CUB-200-2011",
    format: Format::Cub,
    sign: "`images.txt`, `image_class_labels.txt` and `classes.txt`",
    open: "",
    flags: "",
    example: &[
        Item::Text(
            "images.txt",
            "1 001.Sooty_Albatross/a.jpg\n2 002.Indigo_Bunting/b.jpg\n3 002.Indigo_Bunting/c.jpg\n",
        ),
        Item::Text("image_class_labels.txt", "1 1\n2 2\n3 2\n"),
        Item::Text(
            "classes.txt",
            "1 001.Sooty_Albatross\n2 002.Indigo_Bunting\n",
        ),
        Item::Text("train_test_split.txt", "1 1\n2 1\n3 0\n"),
        Item::Images(&[
            "images/001.Sooty_Albatross/a.jpg",
            "images/002.Indigo_Bunting/b.jpg",
            "images/002.Indigo_Bunting/c.jpg",
        ]),
    ],
    gives: Gives::single(&["Sooty_Albatross", "Indigo_Bunting"], [2, 0, 1]),
}];

const IMAGES: &str = "images.txt";
const LABELS: &str = "image_class_labels.txt";
const CLASSES: &str = "classes.txt";
const SPLIT: &str = "train_test_split.txt";

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    [IMAGES, LABELS, CLASSES]
        .iter()
        .all(|file| path.join(file).is_file())
        .then(|| format!("{IMAGES}, {LABELS} and {CLASSES}"))
}

/// A file of lines `number value`, by number.
fn index(file: &Path) -> Result<BTreeMap<u64, String>> {
    let mut found = BTreeMap::new();
    for (place, line) in lines(file)?.iter().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let entry = line.split_once([' ', '\t']).and_then(|(number, value)| {
            Some((number.parse::<u64>().ok()?, value.trim().to_owned()))
        });
        let fresh = entry.and_then(|(number, value)| {
            let before = found.insert(number, value);
            before.is_none().then_some(())
        });
        fresh.ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: format!("line {}", place + 1),
            found: format!("`{line}`"),
            expected: "a number that comes once, a blank and a value".to_owned(),
        })?;
    }
    Ok(found)
}

/// A class without the number that stands before its name.
fn class_name(text: &str) -> String {
    let name = text.trim_start_matches(|c: char| c.is_ascii_digit());
    match name.strip_prefix('.') {
        Some(name) if !name.is_empty() => name.to_owned(),
        _ => text.to_owned(),
    }
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    if recognise(path).is_none() {
        return Err(LayoutError::other_format(path, Format::Cub, EXPECTED).into());
    }
    let root = Root::open(path)?;
    let classes = index(&path.join(CLASSES))?;
    let label_of: BTreeMap<u64, u32> = classes.keys().copied().zip(0..).collect();
    let (images, labels) = (index(&path.join(IMAGES))?, index(&path.join(LABELS))?);
    let split = path.join(SPLIT);
    let split = if split.is_file() {
        Some(index(&split)?)
    } else {
        None
    };
    let names = classes.values().map(|text| class_name(text)).collect();
    let mut builder = TaskBuilder::new(base_name(path), names);
    let mut parts: BTreeMap<SplitName, Vec<_>> = BTreeMap::new();
    let mut listings = Listings::new(&root);
    let mut missing = Missing::new(&path.join(IMAGES), options);
    for (number, image) in &images {
        let wrong = |file: &str, found: Option<&String>, expected: &str| LayoutError::BadEntry {
            file: path.join(file),
            place: format!("image {number}"),
            found: found.map_or("no line".to_owned(), |found| format!("`{found}`")),
            expected: expected.to_owned(),
        };
        let class = labels.get(number);
        let label = class
            .and_then(|class| label_of.get(&class.parse::<u64>().ok()?))
            .ok_or_else(|| wrong(LABELS, class, "the number of a class of classes.txt"))?;
        let part = match split.as_ref().map(|split| split.get(number)) {
            None => SplitName::Train,
            Some(Some(flag)) if flag == "1" => SplitName::Train,
            Some(Some(flag)) if flag == "0" => SplitName::Test,
            Some(other) => {
                return Err(wrong(SPLIT, other, "1 for training or 0 for testing").into());
            }
        };
        let origin = format!("{}: image {number}", path.join(IMAGES).display());
        let full = Root::plain(&format!("images/{image}"), &origin)?;
        if missing.check(listings.has(&full)?, || {
            (format!("image {number}"), full.clone())
        }) {
            let sample = file_sample(&root, &full, vec![*label]);
            parts.entry(part).or_default().push(sample);
        }
    }
    builder.notes.extend(missing.finish()?);
    for (part, samples) in parts {
        builder.set(part, samples);
    }
    Ok(builder)
}
