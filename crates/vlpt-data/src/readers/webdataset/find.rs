//! The split folders and shards of a WebDataset.

use std::path::Path;

use crate::archive::TAR_ENDINGS;
use crate::readers::folders::{folders_in, list};
use crate::readers::shards::Shard;
use crate::split_name::SplitName;

pub(in crate::readers) const EXPECTED: &str = "<split>/N.tar (with <split>/nshards.txt) or train-000000.tar, test-000000.tar, .tar.gz as well, with images key.jpg and key.cls, key.json or key.txt beside, and classnames.txt where labels are numbers";

/// File with the number of shards of a split.
pub(super) const SHARDS: &str = "nshards.txt";

/// The name of a tar without its ending, and the ending.
pub(in crate::readers) fn tar_name(name: &str) -> Option<(&str, &str)> {
    TAR_ENDINGS.iter().find_map(|ending| {
        let at = name.len().checked_sub(ending.len())?;
        let (stem, found) = (name.get(..at)?, name.get(at..)?);
        found.eq_ignore_ascii_case(ending).then_some((stem, found))
    })
}

pub(super) fn tars(folder: &Path) -> Vec<String> {
    let files = list(folder).map(|names| names.files).unwrap_or_default();
    files
        .into_iter()
        .filter(|name| tar_name(name).is_some())
        .collect()
}

pub(super) fn split_folders(path: &Path) -> Vec<(SplitName, String)> {
    folders_in(path)
        .into_iter()
        .filter(|folder| {
            path.join(folder).join(SHARDS).is_file() || !tars(&path.join(folder)).is_empty()
        })
        .filter_map(|folder| Some((SplitName::from_name(&folder)?, folder)))
        .collect()
}

/// The tars in the folder itself, or the one tar at `path`.
pub(super) fn shards_here(path: &Path) -> Vec<Shard> {
    let shard = |name: &str| {
        let (stem, ending) = tar_name(name)?;
        Some(Shard::new("", stem, ending))
    };
    if path.is_file() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return shard(&name).into_iter().collect();
    }
    tars(path).iter().filter_map(|name| shard(name)).collect()
}
