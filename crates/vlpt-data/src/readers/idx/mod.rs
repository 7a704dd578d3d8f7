//! MNIST and sets in its form: idx files of images and labels, plain or of gzip, as their authors
//! publish them and torchvision leaves them in `MNIST/raw`.

mod file;

use std::path::{Path, PathBuf};

use super::folders::base_name;
use super::known::plain;
use super::layout::{Gives, Item, Layout};
use super::options::OpenOptions;
use super::pixels::{missing, samples};
use super::task_builder::TaskBuilder;
use super::text::class_list;
use crate::archive::Root;
use crate::catalogue;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::sample::Sample;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str = "train-images-idx3-ubyte and train-labels-idx1-ubyte, t10k-... for testing, here or in raw/, with .gz or without";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "MNIST",
    format: Format::Idx,
    sign: "`train-images-idx3-ubyte` and the like, with `.gz` or without, in the folder or in `raw`; FashionMNIST and KMNIST by their folders' names",
    open: "MNIST",
    flags: "",
    example: &[
        Item::Bytes(
            "MNIST/raw/train-images-idx3-ubyte",
            b"\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x00\x40\x80\xff",
        ),
        Item::Bytes(
            "MNIST/raw/train-labels-idx1-ubyte",
            b"\0\0\x08\x01\0\0\0\x02\x07\x09",
        ),
        Item::Bytes(
            "MNIST/raw/t10k-images-idx3-ubyte",
            b"\0\0\x08\x03\0\0\0\x01\0\0\0\x01\0\0\0\x02\x10\x20",
        ),
        Item::Bytes(
            "MNIST/raw/t10k-labels-idx1-ubyte",
            b"\0\0\x08\x01\0\0\0\x01\x03",
        ),
    ],
    gives: Gives::single(&DIGITS, [2, 0, 1]),
}];

/// The folder of torchvision.
const RAW: &str = "raw";
/// How the names of files begin.
const PARTS: [(SplitName, &str); 2] = [(SplitName::Train, "train"), (SplitName::Test, "t10k")];
/// Endings of the names of files.
const ENDINGS: [&str; 2] = ["", ".gz"];

const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
/// Names of classes, by the name of the set.
const NAMES: [(&str, [&str; 10]); 2] = [
    (
        "fashionmnist",
        [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
    ),
    (
        "kmnist",
        ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    ),
];

/// The file of one part, relative to `path`; the unpacked one where both are there.
fn file(path: &Path, part: &str, what: &str) -> Option<String> {
    ["", RAW].iter().find_map(|folder| {
        let name = |ending: &&str| match *folder {
            "" => format!("{part}-{what}-ubyte{ending}"),
            folder => format!("{folder}/{part}-{what}-ubyte{ending}"),
        };
        let mut names = ENDINGS.iter().map(name);
        names.find(|name| path.join(name).is_file())
    })
}

/// Whether a file of this name holds images.
pub(super) fn is_images(name: &str) -> bool {
    PARTS
        .iter()
        .any(|(_, part)| name == format!("{part}-images-idx3-ubyte"))
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    PARTS
        .iter()
        .find_map(|(_, part)| file(path, part, "images-idx3"))
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    if recognise(path).is_none() {
        return Err(LayoutError::other_format(path, Format::Idx, EXPECTED).into());
    }
    let root = Root::open(path)?;
    let name = set_name(path);
    let mut parts = Vec::new();
    for (split, part) in PARTS {
        if let Some(images) = file(path, part, "images-idx3") {
            parts.push((split, read_part(&root, &name, part, &images)?));
        }
    }
    let most = parts
        .iter()
        .flat_map(|(_, samples)| samples)
        .flat_map(|sample| sample.labels.iter().copied())
        .max();
    let mut builder = TaskBuilder::new(name.clone(), Vec::new());
    builder.classes = match &options.class_file {
        // as many as are named there: the names come later
        Some(file) => numbers(class_list(file)?.len().max(most.unwrap_or(0) as usize + 1)),
        None => classes(&name, most.unwrap_or(0), options, &mut builder.notes),
    };
    for (split, samples) in parts {
        builder.set(split, samples);
    }
    Ok(builder)
}

/// The folder's name; the one around it where the folder is only called `raw`.
fn set_name(path: &Path) -> String {
    let real: PathBuf = fs_err::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    match real.parent() {
        Some(around) if base_name(&real) == RAW => base_name(around),
        _ => base_name(&real),
    }
}

fn read_part(root: &Root, set: &str, part: &str, images: &str) -> Result<Vec<Sample>> {
    let Some(labels) = file(root.path(), part, "labels-idx1") else {
        let place = root.join(&images.replace("images-idx3", "labels-idx1"));
        let help = "put the labels beside the images: they are another file of the same set";
        return Err(missing(set, &place, help).into());
    };
    let read = file::images(root, images)?;
    let found = file::labels(root, &labels, read.len())?;
    let found: Vec<u32> = found.into_iter().map(u32::from).collect();
    Ok(samples(&read, &found))
}

/// Names of the classes: those of the set that the user names in the catalogue, those of a set that the
/// folder is called after, else the numbers.
fn classes(set: &str, most: u32, options: &OpenOptions, notes: &mut Vec<String>) -> Vec<String> {
    let count = (most as usize + 1).max(DIGITS.len());
    let named = options.name.as_deref();
    let entry = named.and_then(catalogue::find);
    if let Some(known) = entry.and_then(|entry| entry.classes.as_ref())
        && known.len() == count
    {
        return known.clone();
    }
    let called = [named.unwrap_or_default(), set].map(plain);
    let own = NAMES
        .iter()
        .find(|(name, _)| called.iter().any(|called| called == name));
    if let Some((_, names)) = own.filter(|_| count == DIGITS.len()) {
        return names.map(str::to_owned).into();
    }
    notes.push(
        "idx files have no class names: the classes are the numbers of the labels; --class-file names them"
            .to_owned(),
    );
    numbers(count)
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|label| label.to_string()).collect()
}
