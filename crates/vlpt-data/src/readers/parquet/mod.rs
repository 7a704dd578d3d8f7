//! Hugging Face Parquet files: an image column of encoded bytes, labels with names in the metadata.
//!
//! They are recognised in every build and read with the feature `parquet`.

#[cfg(feature = "parquet")]
mod arrow;
#[cfg(feature = "parquet")]
mod columns;
mod find;
#[cfg(feature = "parquet")]
mod places;
#[cfg(feature = "parquet")]
mod read;
#[cfg(feature = "parquet")]
mod schema;
#[cfg(feature = "parquet")]
mod table;

use std::path::Path;

use super::layout::{Gives, Item, Layout};
use crate::format::Format;

#[cfg(feature = "parquet")]
pub(super) use arrow::read as read_arrow;
pub(super) use find::EXPECTED;
#[cfg(feature = "parquet")]
pub(super) use read::read;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
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
    },
    Layout {
        name: "Hugging Face Parquet, other names",
        format: Format::Parquet,
        sign: "a split anywhere in the name: `NAME-train`, `train-00000-of-00002-<hash>`, `train-00000`, `train/0000`",
        open: "",
        flags: "",
        example: &[
            Item::Parquet {
                path: "shapes-train-00000-of-00002-5d8e5a8b2c0c9f3f.parquet",
                classes: &["cat", "dog"],
                labels: &[0, 1],
            },
            Item::Parquet {
                path: "shapes-train-00001-of-00002-8a3b2f1e9d7c6b5a.parquet",
                classes: &["cat", "dog"],
                labels: &[1],
            },
            Item::Parquet {
                path: "test/0000.parquet",
                classes: &["cat", "dog"],
                labels: &[1],
            },
        ],
        gives: Gives::single(&["cat", "dog"], [3, 0, 1]),
    },
    Layout {
        name: "cache of the Hugging Face hub",
        format: Format::Parquet,
        sign: "a folder `datasets--<owner>--<name>` with `snapshots/`, whose files are links into `blobs/`; or a snapshot itself",
        open: "datasets--me--shapes",
        flags: "",
        example: &[
            Item::Parquet {
                path: "datasets--me--shapes/blobs/2960c49b",
                classes: &["cat", "dog"],
                labels: &[0, 1],
            },
            Item::Parquet {
                path: "datasets--me--shapes/blobs/add1177e",
                classes: &["cat", "dog"],
                labels: &[1],
            },
            Item::Text("datasets--me--shapes/refs/main", "0123abcd"),
            Item::Link(
                "datasets--me--shapes/snapshots/0123abcd/train-00000-of-00001.parquet",
                "../../blobs/2960c49b",
            ),
            Item::Link(
                "datasets--me--shapes/snapshots/0123abcd/test-00000-of-00001.parquet",
                "../../blobs/add1177e",
            ),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
    },
];

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let found = find::find(path).ok()?;
    found
        .first()
        .map(|file| format!("the Parquet file {}", file.path))
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
