//! From labels as they stand in the shards to class numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::label::Cell;
use super::shard::Raw;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::readers::text::labels_by_name;
use crate::sample::Sample;

/// Longest class name in a text file; what is longer is a caption.
const LONGEST_NAME: usize = 80;

/// Class names from the samples themselves, where no file lists them: texts sorted, or the names that
/// stand beside numbers. `None` where labels are numbers without names.
///
/// # Errors
/// Some labels are numbers and others names, a number has two names or one is missing, or text files
/// hold captions.
pub(super) fn of_samples(path: &Path, samples: &[&Raw]) -> Result<Option<Vec<String>>> {
    let wrong = |found: String, expected: &str| LayoutError::BadEntry {
        file: path.to_path_buf(),
        place: "labels".to_owned(),
        found,
        expected: expected.to_owned(),
    };
    let cells = || samples.iter().flat_map(|raw| &raw.label.cells);
    let texts: BTreeSet<&String> = cells()
        .filter_map(|cell| match cell {
            Cell::Text(text) => Some(text),
            Cell::Number(_) => None,
        })
        .collect();
    let number = cells().find(|cell| matches!(cell, Cell::Number(_)));
    let Some(text) = texts.first() else {
        return names_of_numbers(path, samples);
    };
    if let Some(number) = number {
        let found = format!("the number {number} and the name `{text}`");
        return Err(wrong(found, "numbers or names, not both").into());
    }
    let of_txt = samples.iter().any(|raw| raw.label.ending == "txt");
    let long = texts
        .iter()
        .find(|t| t.len() > LONGEST_NAME || t.contains('\n'));
    if of_txt && (long.is_some() || texts.len() > (samples.len() / 2).max(2)) {
        let example: String = long.unwrap_or(text).chars().take(LONGEST_NAME).collect();
        let found = format!(
            "{} different texts in .txt files for {} images, such as `{example}`",
            texts.len(),
            samples.len()
        );
        let expected = "class names, not captions: name the file's ending or the JSON key with the label, or a file with the classes";
        return Err(wrong(found, expected).into());
    }
    Ok(Some(texts.into_iter().cloned().collect()))
}

/// The names that stand beside numbers in the same JSON files.
fn names_of_numbers(path: &Path, samples: &[&Raw]) -> Result<Option<Vec<String>>> {
    let mut names: BTreeMap<i64, &str> = BTreeMap::new();
    for raw in samples {
        let ([Cell::Number(number)], Some(name)) = (&raw.label.cells[..], &raw.label.name) else {
            return Ok(None);
        };
        let before = *names.entry(*number).or_insert(name);
        if before != name {
            return Err(LayoutError::BadEntry {
                file: path.join(&*raw.shard),
                place: format!("sample `{}`", raw.key),
                found: format!("the name `{name}` for label {number}"),
                expected: format!("`{before}`, as in the samples before"),
            }
            .into());
        }
    }
    let whole = (0..)
        .zip(names.keys())
        .all(|(want, number)| want == *number);
    Ok(whole.then(|| names.into_values().map(str::to_owned).collect()))
}

/// Samples with numbers for labels.
///
/// # Errors
/// A label is none of the classes.
pub(super) fn number(root: &Root, samples: Vec<Raw>, classes: &[String]) -> Result<Vec<Sample>> {
    let label_of = labels_by_name(classes);
    let count = classes.len();
    let one = |raw: Raw| {
        let mut labels = Vec::with_capacity(raw.label.cells.len());
        for cell in &raw.label.cells {
            let label = match cell {
                Cell::Number(number) => u32::try_from(*number).ok(),
                Cell::Text(text) => label_of.get(text).copied(),
            };
            let label = label.filter(|label| (*label as usize) < count);
            labels.push(label.ok_or_else(|| LayoutError::BadEntry {
                file: root.join(&raw.shard),
                place: format!("sample `{}`", raw.key),
                found: format!("{cell} in its .{} file", raw.label.ending),
                expected: format!(
                    "a label from 0 to {} ({count} classes) or a class name",
                    count - 1
                ),
            })?);
        }
        labels.sort_unstable();
        labels.dedup();
        let image = raw.image;
        Ok(Sample { image, labels })
    };
    samples.into_iter().map(one).collect()
}
