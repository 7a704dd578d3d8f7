//! Which Arrow files belong to which split, and the task of them.

use std::path::Path;

use serde_json::{Value, json};

use super::saved::{dict, one};
use super::{DICT, STATE, arrow_name};
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::folders::list;
use crate::readers::options::OpenOptions;
use crate::readers::parquet::read_arrow;
use crate::readers::shards::{Shard, Splits, alone, sort};
use crate::readers::task_builder::TaskBuilder;

/// What `datasets` writes beside the files of a split about their columns.
const INFO: &str = "dataset_info.json";

pub(in crate::readers) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let folder = match path.parent() {
        Some(parent) if path.is_file() && !parent.as_os_str().is_empty() => parent,
        Some(_) if path.is_file() => Path::new("."),
        _ => path,
    };
    let root = Root::open(folder)?;
    let found = if path.is_file() {
        match shard(&path.file_name().unwrap_or_default().to_string_lossy()) {
            Some(file) => alone(&file),
            None => {
                return Err(LayoutError::other_format(path, Format::Arrow, super::EXPECTED).into());
            }
        }
    } else if path.join(DICT).is_file() {
        dict(&root)?
    } else if path.join(STATE).is_file() {
        one(&root)?
    } else {
        loose(&root, path, options)?
    };
    let description = |file: &str| {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let text = fs_err::read_to_string(root.join(folder).join(INFO)).ok()?;
        let info: Value = serde_json::from_str(&text).ok()?;
        Some(json!({ "info": info }).to_string())
    };
    read_arrow(path, &root, found, options, description)
}

fn shard(name: &str) -> Option<Shard> {
    let (stem, ending) = arrow_name(name)?;
    Some(Shard::new("", stem, ending))
}

/// Arrow files without a word on what belongs together but their names.
fn loose(root: &Root, path: &Path, options: &OpenOptions) -> Result<Splits> {
    let names = list(path)?.files;
    let files: Vec<Shard> = names.iter().filter_map(|name| shard(name)).collect();
    if files.is_empty() {
        return Err(LayoutError::other_format(path, Format::Arrow, super::EXPECTED).into());
    }
    sort(root, path, &files, options)
}
