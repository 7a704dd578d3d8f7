//! WebDataset tars as CLIP_benchmark lays them out.
//!
//! They are recognised in every build and read with the feature `webdataset`.

mod find;
#[cfg(feature = "webdataset")]
mod read;

use std::path::Path;

use super::layout::{Gives, Item, Layout};
use crate::format::Format;

pub(super) use find::EXPECTED;
#[cfg(feature = "webdataset")]
pub(super) use read::read;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "WebDataset",
    format: Format::WebDataset,
    sign: "a folder called after a split with `nshards.txt` or tars; `classnames.txt` beside",
    open: "",
    flags: "",
    example: &[
        Item::Text("classnames.txt", "cat\ndog\n"),
        Item::Text("train/nshards.txt", "1\n"),
        Item::Tar(
            "train/0.tar",
            &[
                Item::Image("0001.jpg"),
                Item::Text("0001.cls", "0"),
                Item::Image("0002.jpg"),
                Item::Text("0002.cls", "1"),
            ],
        ),
        Item::Tar(
            "test/0.tar",
            &[Item::Image("0001.jpg"), Item::Text("0001.cls", "1")],
        ),
    ],
    gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
}];

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let splits = find::split_folders(path);
    let (_, first) = splits.first()?;
    Some(format!("tar shards in {first}/"))
}

/// Says what is missing.
#[cfg(not(feature = "webdataset"))]
pub(super) fn read(
    path: &Path,
    _: &super::OpenOptions,
) -> crate::error::Result<super::task_builder::TaskBuilder> {
    Err(super::not_built_in(
        path,
        crate::format::Format::WebDataset,
        "webdataset",
    ))
}
