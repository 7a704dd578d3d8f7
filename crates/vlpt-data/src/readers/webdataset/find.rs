//! The split folders and shards of a WebDataset.

use std::path::Path;

use crate::readers::folders::{folders_in, list};
use crate::split_name::SplitName;

pub(in crate::readers) const EXPECTED: &str = "classnames.txt and <split>/N.tar (with <split>/nshards.txt), images key.jpg with key.cls beside";

/// File with the number of shards of a split.
pub(super) const SHARDS: &str = "nshards.txt";

pub(super) fn tars(folder: &Path) -> Vec<String> {
    let files = list(folder).map(|names| names.files).unwrap_or_default();
    files
        .into_iter()
        .filter(|name| ending(name) == "tar")
        .collect()
}

pub(super) fn ending(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, ending)| ending)
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
