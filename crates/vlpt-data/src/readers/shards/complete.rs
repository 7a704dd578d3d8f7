//! Whether all shards of a split are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::names::Shard;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::split_name::SplitName;

/// Checks the files of one split: every number once, one count for all, none missing.
pub(super) fn check(root: &Root, path: &Path, part: SplitName, files: &[&Shard]) -> Result<()> {
    // a folder of a split may hold files of any names
    let mut groups: BTreeMap<(&str, &str), Vec<&Shard>> = BTreeMap::new();
    for file in files {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let group = groups.entry((folder, &file.name.stem)).or_default();
        group.push(file);
    }
    let by_name = files.iter().find(|file| !file.name.by_folder);
    if let (Some(file), true) = (by_name, groups.len() > 1) {
        let key = |f: &Shard| {
            (
                f.path.rsplit_once('/').map(|p| p.0.to_owned()),
                f.name.stem.clone(),
            )
        };
        let other = files.iter().find(|other| key(other) != key(file));
        return Err(twice(root, part, file, other.unwrap_or(file)).into());
    }
    groups
        .values()
        .try_for_each(|files| check_group(root, path, part, files))
}

fn check_group(root: &Root, path: &Path, part: SplitName, files: &[&Shard]) -> Result<()> {
    let mut counts: BTreeMap<Option<usize>, &Shard> = BTreeMap::new();
    let mut numbers: BTreeMap<usize, &Shard> = BTreeMap::new();
    let mut whole: Option<&Shard> = None;
    for file in files {
        let Some((index, count)) = file.name.shard else {
            whole = Some(file);
            continue;
        };
        counts.entry(count).or_insert(file);
        if let Some(before) = numbers.insert(index, file) {
            return Err(twice(root, part, before, file).into());
        }
    }
    let mut of_count = counts.values().copied().chain(whole);
    if let (Some(first), Some(second)) = (of_count.next(), of_count.next()) {
        return Err(twice(root, part, first, second).into());
    }
    let Some((&last, example)) = numbers.last_key_value() else {
        return Ok(());
    };
    let count = counts.keys().next().copied().flatten();
    // numbers without a count begin with 0 or with 1
    let first = usize::from(count.is_none() && !numbers.contains_key(&0));
    let end = last.max(count.unwrap_or(0).saturating_sub(1));
    let there: BTreeSet<usize> = numbers.keys().copied().collect();
    // Spark writes no file for an empty part
    let gaps_mean_nothing = example.name.stem == "part";
    match (first..=end).find(|index| !there.contains(index)) {
        Some(absent) if !gaps_mean_nothing => Err(LayoutError::MissingFile {
            set: format!("the {} split of {}", part.name(), path.display()),
            file: root.join(&renumbered(example, last, absent)),
            help: "fetch all files of the split, or open one file by its own path".to_owned(),
        }
        .into()),
        _ => Ok(()),
    }
}

fn twice(root: &Root, part: SplitName, first: &Shard, second: &Shard) -> LayoutError {
    LayoutError::BadEntry {
        file: root.path().to_path_buf(),
        place: format!("{} split", part.name()),
        found: format!("both `{}` and `{}`", first.path, second.path),
        expected: "the files of one writing alone: remove those that are left over".to_owned(),
    }
}

/// The path of a shard as another number has it; a hash behind it is left out.
fn renumbered(example: &Shard, number: usize, wanted: usize) -> String {
    let (folder, file) = example.path.rsplit_once('/').unwrap_or(("", &example.path));
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let places = file.char_indices().map(|(at, _)| at).filter(|at| {
        let inside = *at > 0 && file.as_bytes()[at - 1].is_ascii_digit();
        !inside && digits(&file[*at..]) > 0
    });
    let place = places
        .filter(|at| file[*at..*at + digits(&file[*at..])].parse() == Ok(number))
        .find(|_| true);
    let Some(place) = place else {
        return example.path.clone();
    };
    let width = digits(&file[place..]);
    let mut rest = &file[place + width..];
    if let Some(of) = rest.strip_prefix("-of-") {
        rest = &rest[..4 + digits(of)];
    } else {
        rest = "";
    }
    let ending = file.find('.').map_or("", |dot| &file[dot..]);
    let name = format!("{}{wanted:0width$}{rest}{ending}", &file[..place]);
    super::names::joined(folder, &name)
}
