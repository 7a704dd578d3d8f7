//! The JSON files of `save_to_disk`: which files make up a split, which folders a set.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{DICT, STATE};
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::readers::folders::{below, folders_in};
use crate::readers::shards::Splits;
use crate::split_name::SplitName;

/// The JSON file at `name` below the root.
fn json(root: &Root, name: &str) -> Result<Value> {
    let bytes = fs_err::read(root.check_links(name)?)?;
    let json = serde_json::from_slice(&bytes);
    json.map_err(|error| LayoutError::damaged(name, "JSON", &error).into())
}

fn wrong(root: &Root, file: &str, place: &str, found: String, expected: &str) -> LayoutError {
    LayoutError::BadEntry {
        file: root.join(file),
        place: place.to_owned(),
        found,
        expected: expected.to_owned(),
    }
}

/// The files of the split in `folder` (empty: the root), in order, and what it calls the split.
fn files(root: &Root, folder: &str) -> Result<(Vec<String>, Option<String>)> {
    let name = below(folder, STATE);
    let state = json(root, &name)?;
    let odd =
        |place: &str, found: String, expected: &str| wrong(root, &name, place, found, expected);
    // older versions kept the order of a shuffled set beside it
    if let Some(rows) = state["_indices_data_files"].as_array()
        && !rows.is_empty()
    {
        let expected = "the rows themselves: load the set with `datasets`, `flatten_indices()` and save it anew";
        let found = "a list of the rows that count".to_owned();
        return Err(odd("_indices_data_files", found, expected).into());
    }
    let listed = state["_data_files"].as_array();
    let listed = listed.ok_or_else(|| {
        let found = "no list `_data_files`".to_owned();
        odd("_data_files", found, "the names of the Arrow files")
    })?;
    let mut files = Vec::new();
    for entry in listed {
        let file = entry["filename"].as_str().ok_or_else(|| {
            let expected = "{\"filename\": \"data-00000-of-00001.arrow\"}";
            odd(
                "_data_files",
                entry.to_string().chars().take(80).collect(),
                expected,
            )
        })?;
        let path = Root::plain(&below(folder, file), &name)?;
        if !root.join(&path).is_file() {
            let found = format!("`{file}`, which is not there");
            let expected =
                "all files that it names: fetch the missing ones, or take them off the list";
            return Err(odd("_data_files", found, expected).into());
        }
        files.push(path);
    }
    let split = state["_split"].as_str().map(str::to_owned);
    Ok((files, split))
}

/// One split, saved alone.
pub(super) fn one(root: &Root) -> Result<Splits> {
    let (files, split) = files(root, "")?;
    let part = split.as_deref().and_then(SplitName::from_name);
    let mut notes = Vec::new();
    if let Some(split) = split.filter(|_| part.is_none()) {
        notes.push(format!(
            "the rows were those of a split `{split}`, which is none of train, val, test: taken as one list"
        ));
    }
    let part = part.unwrap_or(SplitName::Train);
    let files = files.into_iter().map(|file| (part, file)).collect();
    Ok(Splits { files, notes })
}

/// The splits of a `DatasetDict`.
pub(super) fn dict(root: &Root) -> Result<Splits> {
    let named = json(root, DICT)?;
    let names: Vec<String> = if let Some(names) = named["splits"].as_array() {
        let names = names.iter().filter_map(|name| name.as_str());
        names.map(str::to_owned).collect()
    } else {
        let mut folders = folders_in(root.path());
        folders.retain(|folder| root.join(folder).join(STATE).is_file());
        folders
    };
    let mut splits: BTreeMap<SplitName, String> = BTreeMap::new();
    let mut others = Vec::new();
    for name in names {
        let Some(part) = SplitName::from_name(&name) else {
            others.push(name);
            continue;
        };
        if let Some(before) = splits.insert(part, name.clone()) {
            let found = format!("`{before}` and `{name}`");
            let expected = "one folder for each of train, val and test: open the one that is meant";
            return Err(wrong(root, DICT, "splits", found, expected).into());
        }
    }
    let mut notes = Vec::new();
    match (&others[..], splits.is_empty()) {
        ([only], true) => {
            notes.push(format!(
                "the only split is called `{only}`: taken as one list"
            ));
            splits.insert(SplitName::Train, only.clone());
        }
        (_, true) => {
            let found = match &others[..] {
                [] => "none".to_owned(),
                names => names.join(", "),
            };
            let expected = "train, test and perhaps val: open the folder of one split itself";
            return Err(wrong(root, DICT, "splits", found, expected).into());
        }
        (others, false) => notes.extend(others.iter().map(|name| {
            format!("the split `{name}` is none of train, val, test and was passed over")
        })),
    }
    let mut found = Vec::new();
    for (part, name) in splits {
        let (files, _) = files(root, &Root::plain(&name, DICT)?)?;
        found.extend(files.into_iter().map(|file| (part, file)));
    }
    Ok(Splits {
        files: found,
        notes,
    })
}
