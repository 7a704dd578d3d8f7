//! CIFAR-10 and CIFAR-100 as their authors publish them and torchvision leaves them on disk: pickled
//! batches of the Python version, and the binary version.

mod batch;
mod binary;
mod example;
mod numpy;

use std::io::Read;
use std::path::Path;

use super::layout::{Gives, Item, Layout};
use super::pixels::missing;
use super::task_builder::TaskBuilder;
use super::text::class_list;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str = "data_batch_1 to data_batch_5, test_batch and batches.meta of CIFAR-10, train, test and meta of CIFAR-100, or the files of their binary versions";

/// Pixels of a side.
const SIDE: u32 = 32;
/// Bytes of an image.
const IMAGE: u64 = 3 * (SIDE * SIDE) as u64;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "CIFAR-10",
        format: Format::Cifar,
        sign: "`batches.meta` beside `data_batch_1` to `data_batch_5` and `test_batch`, pickles that are read without running anything",
        open: "cifar-10-batches-py",
        flags: "",
        example: &[
            Item::Bytes("cifar-10-batches-py/batches.meta", example::META),
            Item::Bytes("cifar-10-batches-py/data_batch_1", example::BATCH),
            Item::Bytes("cifar-10-batches-py/data_batch_2", example::BATCH),
            Item::Bytes("cifar-10-batches-py/data_batch_3", example::BATCH),
            Item::Bytes("cifar-10-batches-py/data_batch_4", example::BATCH),
            Item::Bytes("cifar-10-batches-py/data_batch_5", example::BATCH),
            Item::Bytes("cifar-10-batches-py/test_batch", example::BATCH),
        ],
        gives: Gives::single(&["cat", "dog"], [10, 0, 2]),
    },
    Layout {
        name: "CIFAR-100, binary version",
        format: Format::Cifar,
        sign: "`fine_label_names.txt` beside `train.bin` and `test.bin`; for CIFAR-10 `batches.meta.txt` beside `data_batch_1.bin` and so on; the Python version of CIFAR-100 is `meta`, `train` and `test`",
        open: "cifar-100-binary",
        flags: "",
        example: &[
            Item::Text("cifar-100-binary/fine_label_names.txt", "apple\nbaby\n"),
            Item::Bytes("cifar-100-binary/train.bin", example::RECORDS),
            Item::Bytes("cifar-100-binary/test.bin", example::RECORDS),
        ],
        gives: Gives::single(&["apple", "baby"], [2, 0, 2]),
    },
];

/// One way in which a set lies on disk.
struct Version {
    set: &'static str,
    /// The file with the names of the classes.
    names: &'static str,
    train: &'static [&'static str],
    test: &'static str,
    kind: Kind,
}

enum Kind {
    /// Pickles, and the keys of their names and labels.
    Python {
        names: &'static str,
        labels: &'static str,
    },
    /// Records, and how many labels each begins with.
    Binary { labels: u64 },
}

const VERSIONS: [Version; 4] = [
    Version {
        set: "CIFAR-10",
        names: "batches.meta",
        train: &[
            "data_batch_1",
            "data_batch_2",
            "data_batch_3",
            "data_batch_4",
            "data_batch_5",
        ],
        test: "test_batch",
        kind: Kind::Python {
            names: "label_names",
            labels: "labels",
        },
    },
    Version {
        set: "CIFAR-100",
        names: "meta",
        train: &["train"],
        test: "test",
        kind: Kind::Python {
            names: "fine_label_names",
            labels: "fine_labels",
        },
    },
    Version {
        set: "CIFAR-10",
        names: "batches.meta.txt",
        train: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
        ],
        test: "test_batch.bin",
        kind: Kind::Binary { labels: 1 },
    },
    Version {
        set: "CIFAR-100",
        names: "fine_label_names.txt",
        train: &["train.bin"],
        test: "test.bin",
        kind: Kind::Binary { labels: 2 },
    },
];

impl Version {
    fn files(&self) -> impl Iterator<Item = &'static str> {
        self.train.iter().copied().chain([self.test])
    }

    /// Whether the names and some images lie at `path`; a pickle has to begin like one.
    fn is_at(&self, path: &Path) -> bool {
        let names = path.join(self.names);
        let pickled = || {
            let mut first = [0];
            let read = fs_err::File::open(&names).and_then(|mut file| file.read_exact(&mut first));
            read.is_ok() && first == [0x80]
        };
        names.is_file()
            && self.files().any(|file| path.join(file).is_file())
            && (matches!(self.kind, Kind::Binary { .. }) || pickled())
    }
}

fn find(path: &Path) -> Option<&'static Version> {
    VERSIONS.iter().find(|version| version.is_at(path))
}

/// Whether a file of this name holds images of a set.
pub(super) fn is_batch(name: &str) -> bool {
    VERSIONS
        .iter()
        .any(|version| version.files().any(|file| file == name))
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let version = find(path)?;
    let there = version.files().find(|file| path.join(file).is_file())?;
    Some(format!("{} and {there} of {}", version.names, version.set))
}

pub(super) fn read(path: &Path) -> Result<TaskBuilder> {
    let version =
        find(path).ok_or_else(|| LayoutError::other_format(path, Format::Cifar, EXPECTED))?;
    let absent = version.files().find(|file| !path.join(file).is_file());
    if let Some(file) = absent {
        let help = "unpack the set's archive again, or fetch the set with torchvision";
        return Err(missing(version.set, &path.join(file), help).into());
    }
    let root = Root::open(path)?;
    let classes = match version.kind {
        Kind::Python { names, .. } => batch::names(&root, version.names, names)?,
        Kind::Binary { .. } => class_list(&root.check_links(version.names)?)?,
    };
    let images = |file: &str| match version.kind {
        Kind::Python { labels, .. } => batch::read(&root, file, labels, classes.len()),
        Kind::Binary { labels } => binary::read(&root, file, labels, classes.len()),
    };
    let mut train = Vec::new();
    for file in version.train {
        train.extend(images(file)?);
    }
    let test = images(version.test)?;
    let mut builder = TaskBuilder::new(version.set.to_owned(), classes);
    builder.set(SplitName::Train, train);
    builder.set(SplitName::Test, test);
    Ok(builder)
}
