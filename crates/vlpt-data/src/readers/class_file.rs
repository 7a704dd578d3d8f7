//! A class file of the user's for a set that names its classes itself: class folders, a split file.
//!
//! Two forms are understood. Lines `folder name` give each class folder its name, in the order in
//! which the classes are then counted; a line `folder` alone keeps the name. Where the lines do not
//! begin with the folders' names, they are names alone, one for each folder in sorted order.

use std::collections::BTreeMap;
use std::path::Path;

use super::task_builder::TaskBuilder;
use super::text::class_list;
use crate::error::{LayoutError, Result};

/// Class names that an error or a note lists at most.
const SHOWN: usize = 8;

/// Names and orders the classes of `builder` as the file says.
///
/// # Errors
/// The file cannot be read, leaves a class out, or names one twice.
pub(super) fn apply(builder: &mut TaskBuilder, file: &Path) -> Result<()> {
    let lines = class_list(file)?;
    let matched: Vec<Option<(usize, &str)>> = lines
        .iter()
        .map(|line| matching(line, &builder.classes))
        .collect();
    let known = matched.iter().flatten().count();
    let pairs = if known == 0 {
        by_order(builder, &lines, file)?
    } else {
        by_folder(builder, &lines, &matched, file)?
    };
    let shown: Vec<String> = pairs
        .iter()
        .take(SHOWN)
        .filter(|(old, name)| builder.classes[*old] != *name)
        .map(|(old, name)| format!("`{}` is `{name}`", builder.classes[*old]))
        .collect();
    let name = file.file_name().unwrap_or_default().display();
    let more = match pairs.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let told = if shown.is_empty() {
        String::new()
    } else {
        format!(": {}{more}", shown.join(", "))
    };
    builder.notes.push(format!(
        "class names and their order come from {name}{told}"
    ));
    reorder(builder, &pairs);
    Ok(())
}

/// The class that a line begins with, and the name that follows; of several the longest.
fn matching<'l>(line: &'l str, classes: &[String]) -> Option<(usize, &'l str)> {
    let fits = |(label, class): (usize, &String)| {
        let rest = line.strip_prefix(class.as_str())?;
        let name = match rest.strip_prefix([' ', '\t']) {
            Some(name) => name.trim(),
            None if rest.is_empty() => line,
            None => return None,
        };
        Some((label, name))
    };
    let found = classes.iter().enumerate().filter_map(fits);
    found.max_by_key(|(label, _)| classes[*label].len())
}

/// Names alone: the first is that of the first class.
fn by_order(builder: &TaskBuilder, lines: &[String], file: &Path) -> Result<Vec<(usize, String)>> {
    let classes = &builder.classes;
    if lines.len() != classes.len() {
        let expected = format!(
            "a name for each of the {} classes in their order ({}), or lines `folder name`",
            classes.len(),
            some(classes.iter())
        );
        return Err(bad(file, format!("{} names", lines.len()), expected).into());
    }
    Ok(lines.iter().cloned().enumerate().collect())
}

/// Lines `folder name`: every class once, in the order of the file.
fn by_folder(
    builder: &mut TaskBuilder,
    lines: &[String],
    matched: &[Option<(usize, &str)>],
    file: &Path,
) -> Result<Vec<(usize, String)>> {
    let mut line_of: BTreeMap<usize, usize> = BTreeMap::new();
    let mut pairs = Vec::new();
    for (number, found) in matched.iter().enumerate() {
        let Some((label, name)) = *found else {
            continue;
        };
        if let Some(before) = line_of.insert(label, number) {
            let found = format!(
                "`{}` in the lines {} and {}",
                builder.classes[label],
                before + 1,
                number + 1
            );
            return Err(bad(file, found, "each class once".to_owned()).into());
        }
        pairs.push((label, name.to_owned()));
    }
    let absent: Vec<&String> = builder
        .classes
        .iter()
        .enumerate()
        .filter(|(label, _)| !line_of.contains_key(label))
        .map(|(_, class)| class)
        .collect();
    let without: Vec<&String> = lines
        .iter()
        .zip(matched)
        .filter(|(_, found)| found.is_none())
        .map(|(line, _)| line)
        .collect();
    if !absent.is_empty() {
        let mut found = format!("no line for {}", some(absent.into_iter()));
        if !without.is_empty() {
            found += &format!(", and lines of no class: {}", some(without.into_iter()));
        }
        let expected = "a line `folder name` or `folder` for each class".to_owned();
        return Err(bad(file, found, expected).into());
    }
    if !without.is_empty() {
        builder.notes.push(format!(
            "{} lines of the class file are of no class of this set, such as {}",
            without.len(),
            some(without.into_iter().take(1))
        ));
    }
    Ok(pairs)
}

/// Puts the classes in the order of `pairs`, under their names.
fn reorder(builder: &mut TaskBuilder, pairs: &[(usize, String)]) {
    let mut new_of = vec![0u32; builder.classes.len()];
    for (new, (old, _)) in (0..).zip(pairs) {
        new_of[*old] = new;
    }
    builder.classes = pairs.iter().map(|(_, name)| name.clone()).collect();
    let splits = [&mut builder.train, &mut builder.val, &mut builder.test];
    for sample in splits.into_iter().flatten().flatten() {
        for label in &mut sample.labels {
            if let Some(new) = new_of.get(*label as usize) {
                *label = *new;
            }
        }
        sample.labels.sort_unstable();
    }
}

fn bad(file: &Path, found: String, expected: String) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: "class names".to_owned(),
        found,
        expected,
    }
}

/// The first few names, and how many more there are.
fn some<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(SHOWN);
    let shown: Vec<String> = names.take(SHOWN).map(|name| format!("`{name}`")).collect();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
