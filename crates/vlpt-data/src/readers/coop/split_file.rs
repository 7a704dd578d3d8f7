//! `split_zhou_*.json`: `{"train": [[path, label, class name], ...], "val": ..., "test": ...}`.

use std::collections::BTreeMap;
use std::path::Path;

use super::sets::Set;
use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::readers::folders::{base_name, file_sample, list};
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::split_name::SplitName;

type Entry = (String, u32, String);

pub(super) fn read(
    path: &Path,
    file: &Path,
    set: Option<&Set>,
    options: &OpenOptions,
) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let parts = entries(file)?;
    let classes = classes(file, &parts)?;
    let mut listings = Listings::new(&root);
    let prefix = match set {
        Some(set) => set.paths_from.to_owned(),
        None => guess_prefix(path, file, &parts, &mut listings)?,
    };

    let name = set.map_or_else(|| base_name(path), |set| set.name.to_owned());
    let mut builder = TaskBuilder::new(name, classes);
    let mut missing = Missing::new(file, options);
    for (part, entries) in &parts {
        let mut samples = Vec::with_capacity(entries.len());
        for (index, (relative, label, _)) in entries.iter().enumerate() {
            let place = || format!("entry {index} of `{}`", part.name());
            let origin = || format!("{}: {}", file.display(), place());
            let full = if prefix.is_empty() {
                Root::plain(relative, &origin())?
            } else {
                format!("{prefix}/{}", Root::plain(relative, &origin())?)
            };
            if missing.check(listings.has(&full)?, || (place(), full.clone())) {
                samples.push(file_sample(&root, &full, vec![*label]));
            }
        }
        builder.set(*part, samples);
    }
    builder.notes.extend(missing.finish()?);
    Ok(builder)
}

fn bad(file: &Path, place: String, found: String, expected: &str) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place,
        found,
        expected: expected.to_owned(),
    }
}

fn entries(file: &Path) -> Result<Vec<(SplitName, Vec<Entry>)>> {
    let json: serde_json::Value =
        serde_json::from_slice(&fs_err::read(file)?).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            bad(
                file,
                place,
                format!("no JSON ({error})"),
                "a JSON object with train, val and test",
            )
        })?;
    let mut parts = Vec::new();
    for part in SplitName::ALL {
        let Some(list) = json.get(part.name()) else {
            if part == SplitName::Val {
                continue;
            }
            let place = format!("key `{}`", part.name());
            return Err(bad(file, place, "no such key".into(), "train, val and test").into());
        };
        let expected = "a list of [path, label, class name]";
        let list = list.as_array().ok_or_else(|| {
            bad(
                file,
                format!("key `{}`", part.name()),
                short(list),
                expected,
            )
        })?;
        let mut entries = Vec::with_capacity(list.len());
        for (index, entry) in list.iter().enumerate() {
            let (path, label, name) = entry
                .as_array()
                .filter(|fields| fields.len() == 3)
                .and_then(|fields| {
                    let label = fields[1]
                        .as_u64()
                        .and_then(|label| u32::try_from(label).ok())?;
                    Some((fields[0].as_str()?, label, fields[2].as_str()?))
                })
                .ok_or_else(|| {
                    let place = format!("entry {index} of `{}`", part.name());
                    bad(
                        file,
                        place,
                        short(entry),
                        "[path, label from 0, class name]",
                    )
                })?;
            entries.push((path.to_owned(), label, name.to_owned()));
        }
        parts.push((part, entries));
    }
    Ok(parts)
}

fn short(value: &serde_json::Value) -> String {
    let text = value.to_string();
    let mut cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    format!("`{cut}`")
}

/// Class names by label: each label has one name everywhere, and labels count from 0 without gaps.
fn classes(file: &Path, parts: &[(SplitName, Vec<Entry>)]) -> Result<Vec<String>> {
    let mut names: BTreeMap<u32, &str> = BTreeMap::new();
    for (part, entries) in parts {
        for (index, (_, label, name)) in entries.iter().enumerate() {
            let before = *names.entry(*label).or_insert(name);
            if before != name {
                let place = format!("entry {index} of `{}`", part.name());
                let found = format!("class name `{name}` for label {label}");
                let expected = format!("`{before}`, as in the entries before");
                return Err(bad(file, place, found, &expected).into());
            }
        }
    }
    for (expected, label) in (0..).zip(names.keys()) {
        if expected != *label {
            let found = format!("label {label} and no label {expected}");
            return Err(bad(file, "labels".into(), found, "labels from 0 without gaps").into());
        }
    }
    Ok(names.into_values().map(str::to_owned).collect())
}

/// For a set that is not of the suite: the folder from which the first path leads to an image.
fn guess_prefix(
    path: &Path,
    file: &Path,
    parts: &[(SplitName, Vec<Entry>)],
    listings: &mut Listings,
) -> Result<String> {
    let Some((first, _, _)) = parts.iter().flat_map(|(_, entries)| entries).next() else {
        return Ok(String::new());
    };
    let first = Root::plain(first, &file.display().to_string())?;
    if listings.has(&first)? {
        return Ok(String::new());
    }
    let folders = list(path)?.folders;
    for folder in &folders {
        if listings.has(&format!("{folder}/{first}"))? {
            return Ok(folder.clone());
        }
    }
    // none: let the first entry be reported as missing
    let images = folders.into_iter().find(|folder| folder == "images");
    Ok(images.unwrap_or_default())
}
