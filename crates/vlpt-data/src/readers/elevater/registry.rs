//! `vision_datasets.json`: the registry that may lie beside ELEVATER folders.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{LayoutError, Result};
use crate::split_name::SplitName;

const FILE: &str = "vision_datasets.json";

/// What the registry says of one set.
#[derive(Debug)]
pub(super) struct Registered {
    pub(super) name: String,
    pub(super) multi_label: Option<bool>,
    pub(super) label_file: Option<String>,
    indices: Vec<(SplitName, String)>,
}

impl Registered {
    pub(super) fn index_files(&self, folder: &Path) -> Vec<(SplitName, PathBuf)> {
        self.indices
            .iter()
            .map(|(part, name)| (*part, folder.join(name)))
            .collect()
    }
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    root_folder: Option<String>,
    train: Option<Usage>,
    val: Option<Usage>,
    test: Option<Usage>,
    labelmap: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    index_path: Option<String>,
}

/// What a registry in the folder or in one of the two above it says of this folder, found by the
/// last part of its root folder, or by `name`.
///
/// # Errors
/// The registry cannot be read, or names a set of another kind.
pub(super) fn find(folder: &Path, name: Option<&str>) -> Result<Option<Registered>> {
    let real = fs_err::canonicalize(folder)?;
    let base = real
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let Some(file) = real
        .ancestors()
        .take(3)
        .map(|up| up.join(FILE))
        .find(|file| file.is_file())
    else {
        return Ok(None);
    };
    let bad = |place: String, found: String, expected: &str| LayoutError::BadEntry {
        file: file.clone(),
        place,
        found,
        expected: expected.to_owned(),
    };
    let entries: Vec<Entry> = serde_json::from_slice(&fs_err::read(&file)?).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        bad(place, error.to_string(), "a list of data sets")
    })?;
    let base = base.as_deref();
    let in_folder = |entry: &Entry| {
        entry
            .root_folder
            .as_deref()
            .and_then(|root| root.trim_end_matches('/').rsplit('/').next())
            == base
    };
    let by_folder: Vec<&Entry> = entries.iter().filter(|entry| in_folder(entry)).collect();
    let named = by_folder
        .iter()
        .find(|entry| Some(entry.name.as_str()) == name);
    let Some(entry) = named.or(by_folder.first()) else {
        return Ok(None);
    };
    let multi_label = match entry.kind.as_deref() {
        Some("classification_multiclass") => Some(false),
        Some("classification_multilabel") => Some(true),
        None => None,
        Some(other) => {
            let place = format!("`{}`", entry.name);
            return Err(bad(place, format!("type {other}"), "a classification type").into());
        }
    };
    let usages = [
        (SplitName::Train, &entry.train),
        (SplitName::Val, &entry.val),
        (SplitName::Test, &entry.test),
    ];
    let indices = usages
        .into_iter()
        .filter_map(|(part, usage)| Some((part, usage.as_ref()?.index_path.clone()?)))
        .collect();
    Ok(Some(Registered {
        name: entry.name.clone(),
        multi_label,
        label_file: entry.labelmap.clone(),
        indices,
    }))
}
