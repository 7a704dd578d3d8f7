//! Which Parquet files belong to which split.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::find::{Found, find};
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

#[derive(Debug)]
pub(super) struct SplitFile {
    pub(super) name: String,
    pub(super) part: SplitName,
}

#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) files: Vec<SplitFile>,
    pub(super) notes: Vec<String>,
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
        let expected = super::find::EXPECTED.to_owned();
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
        let Some(part) = SplitName::from_name(split) else {
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
