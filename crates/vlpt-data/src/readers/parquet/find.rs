//! The Parquet files of a folder, and what their names say.

use std::path::Path;

use crate::error::Result;
use crate::readers::folders::list;
use crate::split_name::SplitName;

pub(in crate::readers) const EXPECTED: &str = "data/<split>-00000-of-N.parquet (or the files themselves) with an image column and a label column";

/// A Parquet file below the root.
#[cfg_attr(
    not(feature = "parquet"),
    expect(dead_code, reason = "without the reader only the name is told")
)]
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Path relative to the root.
    pub(super) name: String,
    /// Folder that stands for a configuration of the set; empty for the only one.
    pub(super) config: String,
    pub(super) split: String,
    /// Number of this file and of all files of its split, where the name says both.
    pub(super) shards: Option<(usize, usize)>,
}

/// A folder with more folders than this holds classes, not configurations: looking into each would
/// only take time.
const MOST_FOLDERS: usize = 64;

/// All Parquet files in the folder and up to two folders below.
pub(super) fn find(path: &Path) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    if path.is_file() {
        if is_parquet(&path.to_string_lossy()) {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            found.push(Found {
                name,
                config: String::new(),
                split: "train".into(),
                shards: None,
            });
        }
        return Ok(found);
    }
    walk(path, "", 2, &mut found)?;
    Ok(found)
}

fn is_parquet(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

fn walk(path: &Path, folder: &str, depth: usize, found: &mut Vec<Found>) -> Result<()> {
    let names = list(path)?;
    found.extend(
        names
            .files
            .iter()
            .filter(|name| is_parquet(name))
            .map(|file| place(folder, file)),
    );
    if depth > 0 && names.folders.len() <= MOST_FOLDERS {
        for name in names.folders {
            let below = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            walk(&path.join(&name), &below, depth - 1, found)?;
        }
    }
    Ok(())
}

/// `<split>-00000-of-00002.parquet`, `<split>.parquet`, or `<split>/0000.parquet`; folders other
/// than `data` and those of splits are configurations.
fn place(folder: &str, file: &str) -> Found {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = if folder.is_empty() {
        file.to_owned()
    } else {
        format!("{folder}/{file}")
    };
    let (above, last) = folder.rsplit_once('/').unwrap_or(("", folder));
    let mut parts = stem.rsplitn(4, '-');
    let (count, of, index, split) = (parts.next(), parts.next(), parts.next(), parts.next());
    let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    let (split, shards, config) = match (split, number(index), of, number(count)) {
        (Some(split), Some(index), Some("of"), Some(count)) => {
            (split.to_owned(), Some((index, count)), folder)
        }
        _ if SplitName::from_name(last).is_some() => (last.to_owned(), None, above),
        _ if SplitName::from_name(stem).is_some() => (stem.to_owned(), None, folder),
        _ => ("train".to_owned(), None, folder),
    };
    let config = if config == "data" { "" } else { config }.to_owned();
    Found {
        name,
        config,
        split,
        shards,
    }
}
