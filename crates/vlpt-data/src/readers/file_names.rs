//! Images whose class stands in the names of their files, such as `cat.0.jpg`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::folders::{base_name, folders_in, holds_images};
use super::layout::{Gives, Item, Layout};
use super::task_builder::TaskBuilder;
use super::walker::Walker;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::label_from_name::LabelFromName;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str =
    "images called after their classes, such as cat.0.jpg, and `--label-from-name prefix`";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "class in the file name",
    format: Format::FileNames,
    sign: "never recognised by itself: the flag says it, and errors suggest the flag; folders called after splits are splits, images without a number or a name are passed over with a note",
    open: "",
    flags: "--label-from-name prefix",
    example: &[
        Item::Images(&["train/cat.0.jpg", "train/cat.1.jpg", "train/cat.2.jpg"]),
        Item::Images(&["train/dog.0.jpg", "train/dog.1.jpg", "train/dog.2.jpg"]),
        Item::Images(&["test/1.jpg", "test/2.jpg"]),
    ],
    gives: Gives::single(&["cat", "dog"], [2, 2, 2]),
}];

/// The classes that the names of some files give, with the number of files of each; `None` where
/// most names give none, or give one class only, or hardly any name comes twice.
pub(super) fn guess(files: &[String]) -> Option<BTreeMap<String, usize>> {
    let mut classes: BTreeMap<String, usize> = BTreeMap::new();
    for class in files
        .iter()
        .filter_map(|file| LabelFromName::Prefix.class(file))
    {
        *classes.entry(class.to_owned()).or_default() += 1;
    }
    let named: usize = classes.values().sum();
    let fits = classes.len() > 1 && named * 10 >= files.len() * 9 && classes.len() * 2 <= named;
    fits.then_some(classes)
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let rule = options.label_from_name.unwrap_or(LabelFromName::Prefix);
    let root = Root::open(path)?;
    let mut places: Vec<(SplitName, String)> = folders_in(path)
        .into_iter()
        .filter(|folder| holds_images(&path.join(folder), 8))
        .filter_map(|folder| Some((SplitName::from_name(&folder)?, folder)))
        .collect();
    if places.is_empty() {
        places.push((SplitName::Train, String::new()));
    }
    let mut walker = Walker::new(&root).with_options(options);
    let mut found: BTreeMap<SplitName, Vec<(String, String)>> = BTreeMap::new();
    let mut without: Vec<String> = Vec::new();
    for (part, folder) in &places {
        for image in walker.images(if folder.is_empty() { "" } else { folder })? {
            let name = image.rsplit('/').next().unwrap_or(&image);
            match rule.class(name) {
                Some(class) => {
                    let class = class.to_owned();
                    found.entry(*part).or_default().push((image, class));
                }
                None => without.push(image),
            }
        }
    }
    let names: BTreeSet<&String> = found.values().flatten().map(|(_, class)| class).collect();
    if names.is_empty() {
        return Err(LayoutError::NotThisFormat {
            path: path.to_path_buf(),
            format: Format::FileNames,
            expected: match without.first() {
                Some(image) => format!("{EXPECTED}; `{image}` has no name before a number"),
                None => EXPECTED.to_owned(),
            },
        }
        .into());
    }
    let label_of: BTreeMap<&String, u32> = names.iter().copied().zip(0..).collect();
    let classes = names.iter().map(|name| (*name).clone()).collect();
    let mut builder = TaskBuilder::new(base_name(path), classes);
    for (part, images) in &found {
        let samples = images
            .iter()
            .map(|(image, class)| walker.sample(image, label_of[class]));
        let samples: Vec<Sample> = samples.collect();
        builder.set(*part, samples);
    }
    builder
        .notes
        .push("the class of an image is the text before the number in its file name".to_owned());
    let split_folders = places.iter().all(|(_, folder)| !folder.is_empty());
    let beside = folders_in(path).into_iter().filter(|folder| {
        split_folders
            && SplitName::from_name(folder).is_none()
            && holds_images(&path.join(folder), 8)
    });
    builder.notes.extend(
        beside.map(|folder| {
            format!("the folder `{folder}` beside those of the splits was passed over")
        }),
    );
    if let Some(first) = without.first() {
        builder.notes.push(format!(
            "{} images whose names say no class were passed over, such as `{first}` (`vlpt predict` names their classes)",
            without.len()
        ));
    }
    builder.notes.extend(walker.notes());
    Ok(builder)
}
