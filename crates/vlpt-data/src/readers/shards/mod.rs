//! Sets of many files with a split and a number in each name: which belong together, and whether all
//! are there.

mod complete;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

pub(super) use names::{Shard, joined};

/// The files of the splits of one configuration, in order, and what had to be decided.
#[derive(Debug)]
pub(super) struct Splits {
    pub(super) files: Vec<(SplitName, String)>,
    pub(super) notes: Vec<String>,
}

/// Sorts the files of a folder into splits.
///
/// # Errors
/// There are several configurations and none is named, a name says no split beside others that do, a
/// shard is missing, or a split was written twice.
pub(super) fn sort(
    root: &Root,
    path: &Path,
    found: &[Shard],
    options: &OpenOptions,
) -> Result<Splits> {
    let mut notes = Vec::new();
    let files = of_one_configuration(path, found, options, &mut notes)?;
    let files = without_other_splits(path, files, options, &mut notes)?;
    let splits = by_split(path, files, &mut notes)?;
    let mut chosen = Vec::new();
    for (part, files) in splits {
        complete::check(root, path, part, &files)?;
        if files.iter().any(|file| file.name.partial) {
            notes.push(format!(
                "the {} split is the part that the hub converted (a folder `partial-...`), not the whole",
                part.name()
            ));
        }
        let mut files = files;
        files.sort_by_key(|file| file.name.shard.map(|(index, _)| index));
        chosen.extend(files.iter().map(|file| (part, file.path.clone())));
    }
    let files = chosen;
    Ok(Splits { files, notes })
}

/// One file that was opened by its own path: its name says the split, and other shards are left out.
pub(super) fn alone(file: &Shard) -> Splits {
    let part = file.name.part.unwrap_or(SplitName::Train);
    let mut notes = Vec::new();
    if let Some((index, Some(count))) = file.name.shard
        && count > 1
    {
        notes.push(format!(
            "only shard {index} of {count} (they count from 0) was opened; open its folder for all of them"
        ));
    }
    let files = vec![(part, file.path.clone())];
    Splits { files, notes }
}

/// The files in the folders of the configuration that is named, or of the only one.
fn of_one_configuration<'a>(
    path: &Path,
    found: &'a [Shard],
    options: &OpenOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<&'a Shard>> {
    let mut configs: BTreeMap<&str, Vec<&Shard>> = BTreeMap::new();
    for file in found {
        configs.entry(&file.name.config).or_default().push(file);
    }
    let named = options.name.as_deref().filter(|n| configs.contains_key(n));
    let config = match (named, configs.len()) {
        (Some(named), _) => named,
        (None, 1) => configs.keys().next().copied().unwrap_or_default(),
        _ => return Err(several(path, "folders with such files", configs.keys()).into()),
    };
    if !config.is_empty() {
        notes.push(format!("read the configuration `{config}`"));
    }
    Ok(configs.get(config).cloned().unwrap_or_default())
}

fn several<'a>(path: &Path, place: &str, names: impl Iterator<Item = &'a &'a str>) -> LayoutError {
    let names = names.map(|name| if name.is_empty() { "data" } else { *name });
    LayoutError::BadEntry {
        file: path.to_path_buf(),
        place: place.to_owned(),
        found: names.collect::<Vec<_>>().join(", "),
        expected: "one of them, to be opened itself or named".to_owned(),
    }
}

/// Of files with something before or behind the split in their names (`NAME-train`, `train_extra`)
/// those of one name. Plain names come first; the others then stand for other splits, unless the
/// plain ones lack their split.
fn without_other_splits<'a>(
    path: &Path,
    files: Vec<&'a Shard>,
    options: &OpenOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<&'a Shard>> {
    let plain: BTreeSet<SplitName> = files
        .iter()
        .filter(|file| file.name.prefix.is_empty())
        .filter_map(|file| file.name.part)
        .collect();
    let prefixes: BTreeSet<&str> = files
        .iter()
        .filter(|file| !file.name.prefix.is_empty())
        .filter(|file| file.name.part.is_none_or(|part| !plain.contains(&part)))
        .map(|file| &*file.name.prefix)
        .collect();
    let named = options.name.as_deref().filter(|n| prefixes.contains(n));
    // each split from one name: `train_images` and `test_images` are two names of one set
    let mut names_of: BTreeMap<SplitName, BTreeSet<&str>> = BTreeMap::new();
    for file in files.iter().filter(|f| prefixes.contains(&*f.name.prefix)) {
        if let Some(part) = file.name.part {
            names_of.entry(part).or_default().insert(&file.name.prefix);
        }
    }
    if named.is_none() && names_of.values().any(|names| names.len() > 1) {
        return Err(several(path, "files of several names", prefixes.iter()).into());
    }
    let (kept, passed): (Vec<&Shard>, Vec<&Shard>) = files.into_iter().partition(|file| {
        let prefix = &*file.name.prefix;
        match named {
            Some(named) => prefix == named,
            None => prefix.is_empty() || prefixes.contains(prefix),
        }
    });
    let passed: BTreeSet<&str> = passed.iter().map(|file| &*file.name.prefix).collect();
    for prefix in passed.into_iter().filter(|prefix| !prefix.is_empty()) {
        notes.push(format!("files called `{prefix}` were passed over"));
    }
    Ok(kept)
}

/// Files by split. Names that say none are one list where no name says one; beside others they are
/// told and passed over where they are clearly another split, and refused where they are not.
fn by_split<'a>(
    path: &Path,
    files: Vec<&'a Shard>,
    notes: &mut Vec<String>,
) -> Result<BTreeMap<SplitName, Vec<&'a Shard>>> {
    let mut splits: BTreeMap<SplitName, Vec<&Shard>> = BTreeMap::new();
    let (known, unknown): (Vec<&Shard>, Vec<&Shard>) =
        files.into_iter().partition(|file| file.name.part.is_some());
    for file in &known {
        let part = file.name.part.unwrap_or(SplitName::Train);
        splits.entry(part).or_default().push(file);
    }
    let stems: BTreeSet<&str> = unknown.iter().map(|file| &*file.name.stem).collect();
    if known.is_empty() && stems.len() == 1 {
        splits.insert(SplitName::Train, unknown);
        return Ok(splits);
    }
    for stem in stems {
        let of_stem = |file: &&&Shard| file.name.stem == stem;
        let explicit = |file: &Shard| matches!(file.name.shard, Some((_, Some(_))));
        let first = unknown.iter().find(of_stem).copied();
        match first {
            Some(file) if !known.is_empty() && explicit(file) => notes.push(format!(
                "the split `{stem}` is none of train, val, test and was passed over"
            )),
            Some(file) => {
                let others = known.iter().chain(&unknown).filter(|f| f.path != file.path);
                return Err(LayoutError::UnclearSplit {
                    file: path.join(&file.path),
                    others: others.take(3).map(|file| file.path.clone()).collect(),
                }
                .into());
            }
            None => {}
        }
    }
    Ok(splits)
}
