//! WebDataset tars as CLIP_benchmark lays them out.
//!
//! They are recognised in every build and read with the feature `webdataset`.

mod find;
#[cfg(feature = "webdataset")]
mod read;

use std::path::Path;

pub(super) use find::EXPECTED;
#[cfg(feature = "webdataset")]
pub(super) use read::read;

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
