//! WebDataset tars as CLIP_benchmark lays them out.
//!
//! They are recognised in every build and read with the feature `webdataset`.

#[cfg(feature = "webdataset")]
mod classes;
mod find;
#[cfg(feature = "webdataset")]
mod label;
#[cfg(feature = "webdataset")]
mod read;
#[cfg(feature = "webdataset")]
mod shard;

use std::path::Path;

use super::layout::{Gives, Item, Layout};
use crate::format::Format;

pub(super) use find::{EXPECTED, tar_name};
#[cfg(feature = "webdataset")]
pub(super) use read::read;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
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
    },
    Layout {
        name: "WebDataset, shards in the root",
        format: Format::WebDataset,
        sign: "tars, plain or of gzip, whose images have a `.cls`, `.json` or `.txt` file beside; the split in the name as of Parquet files",
        open: "",
        flags: "",
        example: &[
            Item::Tar(
                "shapes-train-000000.tar.gz",
                &[
                    Item::Image("0001.jpg"),
                    Item::Text("0001.json", "{\"label\": \"cat\"}"),
                    Item::Image("0002.jpg"),
                    Item::Text("0002.json", "{\"label\": \"dog\"}"),
                ],
            ),
            Item::Tar(
                "shapes-test-000000.tar",
                &[
                    Item::Image("0001.jpg"),
                    Item::Text("0001.json", "{\"label\": \"dog\"}"),
                ],
            ),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
    },
];

/// What speaks for this layout: a split's folder with tars, or a tar here with images and labels.
pub(super) fn recognise(path: &Path) -> Option<String> {
    if path.is_file() {
        let shards = find::shards_here(path);
        return has_samples(path, shards.first()?);
    }
    let splits = find::split_folders(path);
    if let Some((_, first)) = splits.first() {
        return Some(format!("tar shards in {first}/"));
    }
    let shards = find::shards_here(path);
    let first = shards.first()?;
    has_samples(&path.join(&first.path), first)
}

/// Whether a tar holds images with labels beside them, by its first members.
#[cfg(feature = "webdataset")]
fn has_samples(path: &Path, shard: &super::shards::Shard) -> Option<String> {
    let names = crate::archive::peek(path);
    shard::has_samples(names.iter().map(String::as_str))
        .then(|| format!("images with labels beside them in {}", shard.path))
}

/// Without the reader nothing is known of what is inside.
#[cfg(not(feature = "webdataset"))]
#[allow(
    clippy::unnecessary_wraps,
    reason = "with the reader there may be nothing to name"
)]
fn has_samples(_: &Path, shard: &super::shards::Shard) -> Option<String> {
    Some(format!("the tar {}", shard.path))
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
