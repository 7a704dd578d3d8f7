//! The Parquet files of a folder.

use std::path::Path;

use crate::error::Result;
use crate::readers::folders::list;
use crate::readers::shards::{Shard, joined};

pub(in crate::readers) const EXPECTED: &str = "data/<split>-00000-of-N.parquet (or the files themselves) with an image column and a label column";

/// A folder with more folders than this holds classes, not configurations: looking into each would
/// only take time.
const MOST_FOLDERS: usize = 64;

/// All Parquet files in the folder and up to two folders below, or the one file at `path`.
pub(super) fn find(path: &Path) -> Result<Vec<Shard>> {
    if path.is_file() {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        return Ok(shard("", &name).into_iter().collect());
    }
    let mut found = Vec::new();
    walk(path, "", 2, &mut found)?;
    Ok(found)
}

/// A Parquet file by its ending.
fn shard(folder: &str, name: &str) -> Option<Shard> {
    let (stem, ending) = name.split_at(name.rfind('.')?);
    let fits = ending.eq_ignore_ascii_case(".parquet");
    fits.then(|| Shard::new(folder, stem, ending))
}

fn walk(path: &Path, folder: &str, depth: usize, found: &mut Vec<Shard>) -> Result<()> {
    let names = list(path)?;
    found.extend(names.files.iter().filter_map(|name| shard(folder, name)));
    if depth > 0 && names.folders.len() <= MOST_FOLDERS {
        for name in names.folders {
            walk(&path.join(&name), &joined(folder, &name), depth - 1, found)?;
        }
    }
    Ok(())
}
