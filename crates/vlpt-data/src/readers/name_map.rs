//! `classnames.txt` beside class folders or the folders of splits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::task_builder::TaskBuilder;
use super::text::{class_list, folder_names};
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;

/// Optional file with names for the class folders.
const NAME_MAP: &str = "classnames.txt";

/// Names of classes from [`NAME_MAP`] beside the class folders or the splits, unless the user gives
/// a class file.
pub(super) fn place_names(
    builder: &mut TaskBuilder,
    path: &Path,
    options: &OpenOptions,
) -> Result<()> {
    let file = path.join(NAME_MAP);
    if file.is_file() && options.class_file.is_none() {
        rename(builder, &file)?;
    }
    Ok(())
}

/// Puts the names of a file in the place of folder names: lines `folder name`, or a name alone for
/// each folder in sorted order.
fn rename(builder: &mut TaskBuilder, file: &Path) -> Result<()> {
    let plain = class_list(file)?;
    let first = |line: &String| line.split([' ', '\t']).next().map(str::to_owned);
    let folders: BTreeSet<&String> = builder.classes.iter().collect();
    let known = plain
        .iter()
        .filter(|line| folders.contains(line) || first(line).is_some_and(|f| folders.contains(&f)));
    if known.count() == 0 && plain.len() == builder.classes.len() {
        let pairs = builder.classes.iter().zip(&plain).take(3);
        let told: Vec<String> = pairs
            .map(|(folder, name)| format!("`{folder}` is `{name}`"))
            .collect();
        builder.notes.push(format!(
            "class names come from {NAME_MAP}, a line for each folder in sorted order: {}",
            told.join(", ")
        ));
        builder.classes = plain;
        return Ok(());
    }
    if plain.iter().all(|line| folders.contains(line)) && plain.len() == folders.len() {
        return Ok(()); // the folders' own names
    }
    let names: BTreeMap<String, String> = folder_names(file)?.into_iter().collect();
    for class in &mut builder.classes {
        let name = names.get(class).ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: "class folders".to_owned(),
            found: format!("no line for the folder `{class}`"),
            expected: "a line `folder name` for each class folder".to_owned(),
        })?;
        class.clone_from(name);
    }
    builder
        .notes
        .push(format!("class names come from {NAME_MAP}"));
    Ok(())
}
