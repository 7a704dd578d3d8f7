//! torchvision's ImageFolder: `train/<class>/*`, `val/<class>/*`, `test/<class>/*`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::folders::{Walker, base_name, empty_class, folders_in, holds_images};
use super::task_builder::TaskBuilder;
use super::text::folder_names;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Optional file beside the split folders that maps folder names to class names.
const NAME_MAP: &str = "classnames.txt";

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let holding: Vec<String> = folders_in(path)
        .into_iter()
        .filter(|folder| SplitName::from_name(folder).is_some())
        .filter(|folder| {
            let place = path.join(folder);
            folders_in(&place)
                .iter()
                .any(|class| holds_images(&place.join(class), 8))
        })
        .map(|folder| format!("{folder}/"))
        .collect();
    (!holding.is_empty()).then(|| format!("class folders below {}", holding.join(", ")))
}

pub(super) const EXPECTED: &str =
    "train/<class>/*, and val/ (or valid/) or test/ beside, with images in the class folders";

fn split_folders(path: &Path) -> Result<BTreeMap<SplitName, String>> {
    let mut splits: BTreeMap<SplitName, String> = BTreeMap::new();
    for folder in folders_in(path) {
        let Some(part) = SplitName::from_name(&folder) else {
            continue;
        };
        if let Some(before) = splits.get(&part) {
            return Err(LayoutError::BadEntry {
                file: path.to_path_buf(),
                place: format!("{} split", part.name()),
                found: format!("both `{before}` and `{folder}`"),
                expected: "one folder a split".to_owned(),
            }
            .into());
        }
        splits.insert(part, folder);
    }
    Ok(splits)
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let splits = split_folders(path)?;
    if splits.is_empty() {
        let (path, format) = (path.to_path_buf(), Format::ImageFolder);
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected: EXPECTED.into(),
        }
        .into());
    }
    let places: Vec<(SplitName, String)> = splits.into_iter().collect();
    let mut builder = read_splits(&root, &places, options)?;
    // a class file of the user's comes before the set's own
    if path.join(NAME_MAP).is_file() && options.class_file.is_none() {
        rename(&mut builder, &path.join(NAME_MAP))?;
    }
    Ok(builder)
}

/// A builder from one folder of class folders for each split; the classes are all class folders of
/// all splits, sorted.
pub(super) fn read_splits(
    root: &Arc<Root>,
    places: &[(SplitName, String)],
    options: &OpenOptions,
) -> Result<TaskBuilder> {
    let mut walker = Walker::new(root);
    let mut found: Vec<(SplitName, BTreeMap<String, Vec<String>>)> = Vec::new();
    let mut dropped = Vec::new();
    for (part, folder) in places {
        let mut classes = BTreeMap::new();
        for class in folders_in(&root.join(folder)) {
            let place = if folder.is_empty() {
                class.clone()
            } else {
                format!("{folder}/{class}")
            };
            let images = walker.images(&place)?;
            if !images.is_empty() {
                classes.insert(class, images);
            } else if options.drop_empty_classes {
                dropped.push(place);
            } else {
                return Err(empty_class(root, &place).into());
            }
        }
        found.push((*part, classes));
    }
    let names: BTreeSet<&String> = found
        .iter()
        .flat_map(|(_, classes)| classes.keys())
        .collect();
    let label_of: BTreeMap<&String, u32> = names.iter().copied().zip(0..).collect();
    let mut builder = TaskBuilder::new(
        base_name(root.path()),
        names.iter().map(|name| (*name).clone()).collect(),
    );
    for (part, classes) in &found {
        let samples: Vec<Sample> = classes
            .iter()
            .flat_map(|(class, images)| images.iter().map(|path| (path, label_of[class])))
            .map(|(path, label)| walker.sample(path, label))
            .collect();
        builder.set(*part, samples);
        let absent: Vec<_> = names
            .iter()
            .filter(|name| !classes.contains_key(**name))
            .collect();
        if let Some(first) = absent.first() {
            builder.notes.push(format!(
                "the {} split has no folder for {} of the {} classes, such as `{first}`; labels count all classes",
                part.name(),
                absent.len(),
                names.len()
            ));
        }
    }
    if let Some(first) = dropped.first() {
        builder.notes.push(format!(
            "{} class folders without images were dropped, such as `{first}`",
            dropped.len()
        ));
    }
    builder.notes.extend(walker.notes());
    Ok(builder)
}

/// Puts the names of a `folder name` file in the place of folder names.
fn rename(builder: &mut TaskBuilder, file: &Path) -> Result<()> {
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
