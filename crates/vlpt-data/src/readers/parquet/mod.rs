//! Hugging Face Parquet files: an image column of encoded bytes, labels with names in the metadata.
//!
//! They are recognised in every build and read with the feature `parquet`.

#[cfg(feature = "parquet")]
mod choose;
#[cfg(feature = "parquet")]
mod columns;
mod find;
#[cfg(feature = "parquet")]
mod read;

use std::path::Path;

use super::layout::{Gives, Item, Layout};
use crate::format::Format;

pub(super) use find::EXPECTED;
#[cfg(feature = "parquet")]
pub(super) use read::read;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "Hugging Face Parquet",
    format: Format::Parquet,
    sign: "a `.parquet` file in the folder or up to two folders below",
    open: "",
    flags: "",
    example: &[
        Item::Parquet {
            path: "data/train-00000-of-00001.parquet",
            classes: &["cat", "dog"],
            labels: &[0, 1],
        },
        Item::Parquet {
            path: "data/test-00000-of-00001.parquet",
            classes: &["cat", "dog"],
            labels: &[1],
        },
    ],
    gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
}];

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let found = find::find(path).ok()?;
    found
        .first()
        .map(|file| format!("the Parquet file {}", file.name))
}

/// Says what is missing.
#[cfg(not(feature = "parquet"))]
pub(super) fn read(
    path: &Path,
    _: &super::OpenOptions,
) -> crate::error::Result<super::task_builder::TaskBuilder> {
    Err(super::not_built_in(
        path,
        crate::format::Format::Parquet,
        "parquet",
    ))
}
