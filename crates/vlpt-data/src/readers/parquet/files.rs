//! Which Parquet files belong to which split.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::archive::Root;
use crate::error::Result;
use crate::readers::folders::list;
use crate::readers::task_builder::Part;
use crate::readers::{LayoutError, OpenOptions};
use crate::task::Format;

/// A Parquet file below the root.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// Path relative to the root.
    pub(super) name: String,
    /// Folder that stands for a configuration of the set; empty for the only one.
    config: String,
    split: String,
    shards: Option<(usize, usize)>,
}

#[derive(Debug)]
pub(super) struct SplitFile {
    pub(super) name: String,
    pub(super) part: Part,
}

#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) files: Vec<SplitFile>,
    pub(super) notes: Vec<String>,
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
        _ if Part::from_name(last).is_some() => (last.to_owned(), None, above),
        _ if Part::from_name(stem).is_some() => (stem.to_owned(), None, folder),
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

/// The files of one configuration, by split and in order.
pub(super) fn choose(path: &Path, options: &OpenOptions) -> Result<(Arc<Root>, Chosen)> {
    let folder = if path.is_file() {
        path.parent().filter(|p| !p.as_os_str().is_empty())
    } else {
        Some(path)
    };
    let root = Root::open(folder.unwrap_or(Path::new(".")))?;
    let found = find(path)?;
    if found.is_empty() {
        let (path, format) = (path.to_path_buf(), Format::Parquet);
        let expected = super::EXPECTED.to_owned();
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected,
        }
        .into());
    }
    let mut configs: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for file in &found {
        configs.entry(&file.config).or_default().push(file);
    }
    let named = options
        .name
        .as_deref()
        .and_then(|name| configs.get_key_value(name));
    let (config, files) = match (named, configs.len()) {
        (Some(named), _) => named,
        (None, 1) => configs.first_key_value().expect("it has one entry"),
        _ => {
            let names = configs
                .keys()
                .map(|name| if name.is_empty() { "data" } else { *name });
            return Err(LayoutError::BadEntry {
                file: path.to_path_buf(),
                place: "folders with Parquet files".to_owned(),
                found: names.collect::<Vec<_>>().join(", "),
                expected: "one of them, to be opened itself or named".to_owned(),
            }
            .into());
        }
    };
    let mut notes = Vec::new();
    if !config.is_empty() {
        notes.push(format!("read the configuration `{config}`"));
    }
    let mut splits: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for file in files {
        splits.entry(&file.split).or_default().push(file);
    }
    let mut chosen = Vec::new();
    for (split, files) in splits {
        let Some(part) = Part::from_name(split) else {
            notes.push(format!(
                "the split `{split}` is none of train, val, test and was passed over"
            ));
            continue;
        };
        if let Some((_, count)) = files[0].shards {
            let absent =
                (0..count).find(|i| !files.iter().any(|file| file.shards == Some((*i, count))));
            if let Some(absent) = absent {
                let folder = files[0]
                    .name
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder);
                let file = format!("{split}-{absent:05}-of-{count:05}.parquet");
                return Err(LayoutError::MissingFile {
                    set: format!("the {split} split of {}", path.display()),
                    file: root.join(folder).join(file),
                    help: "fetch all files of the split".to_owned(),
                }
                .into());
            }
        }
        chosen.extend(files.iter().map(|file| SplitFile {
            name: file.name.clone(),
            part,
        }));
    }
    Ok((
        root,
        Chosen {
            files: chosen,
            notes,
        },
    ))
}
