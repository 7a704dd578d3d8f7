//! A layout as the documentation shows it: its sign, a small example, and what reading that gives.
//!
//! The tables and examples of `docs/reference/dataset-formats.md` are made from these, and a test
//! builds each example on disk and reads it.

use crate::format::Format;

/// One way to lay out a data set that a reader understands.
#[derive(Debug)]
pub struct Layout {
    /// What to call it, such as `one-hot table`; unique.
    pub name: &'static str,
    /// The reader.
    pub format: Format,
    /// What it is recognised by, or why flags are needed, in Markdown.
    pub sign: &'static str,
    /// What of the example is opened, relative to its folder; empty: the folder itself.
    pub open: &'static str,
    /// Flags that reading the example needs, such as `--label-column species`; `DATA` stands for
    /// the folder of the example. Mostly empty.
    pub flags: &'static str,
    /// A small data set of this layout.
    pub example: &'static [Item],
    /// What reading it gives.
    pub gives: Gives,
}

/// One file of an example; paths are relative to its folder, with `/`.
#[derive(Debug)]
#[non_exhaustive]
pub enum Item {
    /// An image that decodes.
    Image(&'static str),
    /// Several images.
    Images(&'static [&'static str]),
    /// A text file and its text.
    Text(&'static str, &'static str),
    /// A zip and its members.
    Zip(&'static str, &'static [Item]),
    /// A tar and its members, in this order; compressed where its name ends in `.gz`.
    Tar(&'static str, &'static [Item]),
    /// A Parquet file as Hugging Face writes it, with one image a label.
    Parquet {
        /// Its path.
        path: &'static str,
        /// Class names in its metadata.
        classes: &'static [&'static str],
        /// The label of each row.
        labels: &'static [i64],
    },
    /// An Arrow stream as Hugging Face `datasets` writes it, with one image a label.
    Arrow {
        /// Its path.
        path: &'static str,
        /// Class names in its metadata.
        classes: &'static [&'static str],
        /// The label of each row.
        labels: &'static [i64],
    },
    /// A file of these bytes.
    Bytes(&'static str, &'static [u8]),
    /// A table, its header and its rows, in which `@` stands for the numbers of 48 x 48 pixels.
    Pixels(&'static str, &'static str, &'static [&'static str]),
    /// A link, and the path relative to its own folder that it leads to.
    Link(&'static str, &'static str),
}

/// What reading an example gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gives {
    /// Classes in the order of the labels.
    pub classes: &'static [&'static str],
    /// Number of images to learn from, to choose by, to judge on.
    pub images: [usize; 3],
    /// Whether an image may have several labels, or none.
    pub multi_label: bool,
}

impl Gives {
    /// One label an image.
    pub(super) const fn single(classes: &'static [&'static str], images: [usize; 3]) -> Self {
        Self {
            classes,
            images,
            multi_label: false,
        }
    }

    /// Any number of labels an image.
    pub(super) const fn multi(classes: &'static [&'static str], images: [usize; 3]) -> Self {
        Self {
            classes,
            images,
            multi_label: true,
        }
    }
}
