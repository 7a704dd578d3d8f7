//! Folders of class folders, one for each split: samples, and what is no class.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::folders::{base_name, below, empty_class, folders_in};
use super::task_builder::TaskBuilder;
use super::unlabelled::{is_container, is_unlabelled};
use super::walker::Walker;
use crate::archive::Root;
use crate::error::Result;
use crate::image::has_image_ending as is_image;
use crate::readers::options::OpenOptions;
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Images that have no label: in no class folder, or in a folder that says so.
#[derive(Debug)]
struct Unlabelled {
    /// Where they lie, relative to the root.
    place: String,
    images: usize,
    /// Whether the name of the folder says so.
    named: bool,
}

/// The class folders of one split.
#[derive(Debug, Default)]
struct Found {
    classes: BTreeMap<String, Vec<String>>,
    unlabelled: Vec<Unlabelled>,
    dropped: Vec<String>,
    /// The folder inside that holds the class folders, where the split's own holds nothing else.
    inside: Option<String>,
}

/// The class folders in `folder`, or in the only folder of it that is called like a split again.
fn class_folders(
    walker: &mut Walker,
    root: &Root,
    folder: &str,
    options: &OpenOptions,
) -> Result<Found> {
    let mut found = Found::default();
    let mut folder = folder.to_owned();
    let mut names = walker.list(&folder)?;
    while let [only] = &names.folders[..] {
        let inner = below(&folder, only);
        let around = SplitName::from_name(only).is_some()
            && !folder.is_empty()
            && !names.files.iter().any(|name| is_image(name))
            && !folders_in(&root.join(&inner)).is_empty();
        if !around {
            break;
        }
        names = walker.list(&inner)?;
        found.inside = Some(inner.clone());
        folder = inner;
    }
    let images = names.files.iter().filter(|name| is_image(name)).count();
    if images > 0 {
        found.unlabelled.push(Unlabelled {
            place: folder.clone(),
            images,
            named: false,
        });
    }
    for class in names.folders {
        let place = below(&folder, &class);
        let images = walker.images(&place)?;
        if is_unlabelled(&class) {
            found.unlabelled.push(Unlabelled {
                place,
                images: images.len(),
                named: true,
            });
        } else if !images.is_empty() {
            found.classes.insert(class, images);
        } else if options.drop_empty_classes {
            found.dropped.push(place);
        } else {
            return Err(empty_class(root, &place).into());
        }
    }
    Ok(found)
}

/// Takes the only folder of a test split for what it is where it is no class of another split:
/// `test/images` and `test/test` hold images of all classes.
fn containers(found: &mut [(SplitName, Found)]) {
    let others: BTreeSet<String> = found
        .iter()
        .filter(|(_, found)| found.classes.len() > 1)
        .flat_map(|(_, found)| found.classes.keys().cloned())
        .collect();
    for (part, found) in found {
        let only = match found.classes.first_key_value() {
            Some((class, images)) if found.classes.len() == 1 => (class.clone(), images.clone()),
            _ => continue,
        };
        let (class, images) = only;
        let no_class = is_container(&class) && !others.is_empty() && !others.contains(&class);
        if no_class && *part != SplitName::Train {
            found.classes.clear();
            let place = images.first().and_then(|path| path.rsplit_once('/'));
            found.unlabelled.push(Unlabelled {
                place: place.map_or(class, |(place, _)| place.to_owned()),
                images: images.len(),
                named: true,
            });
        }
    }
}

/// A builder from one folder of class folders for each split; the classes are all class folders of
/// all splits, sorted.
pub(super) fn read_splits(
    root: &Arc<Root>,
    places: &[(SplitName, String)],
    options: &OpenOptions,
) -> Result<TaskBuilder> {
    let mut walker = Walker::new(root).with_options(options);
    let mut found: Vec<(SplitName, Found)> = Vec::new();
    for (part, folder) in places {
        found.push((*part, class_folders(&mut walker, root, folder, options)?));
    }
    containers(&mut found);
    let names: BTreeSet<&String> = found
        .iter()
        .flat_map(|(_, found)| found.classes.keys())
        .collect();
    let label_of: BTreeMap<&String, u32> = names.iter().copied().zip(0..).collect();
    let mut builder = TaskBuilder::new(
        base_name(root.path()),
        names.iter().map(|name| (*name).clone()).collect(),
    );
    for (part, Found { classes, .. }) in &found {
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
        if let Some(first) = absent.first().filter(|_| !classes.is_empty()) {
            builder.notes.push(format!(
                "the {} split has no folder for {} of the {} classes, such as `{first}`; labels count all classes",
                part.name(),
                absent.len(),
                names.len()
            ));
        }
    }
    let dropped: Vec<&String> = found.iter().flat_map(|(_, found)| &found.dropped).collect();
    if let Some(first) = dropped.first() {
        builder.notes.push(format!(
            "{} class folders without images were dropped, such as `{first}`",
            dropped.len()
        ));
    }
    for (_, found) in &found {
        builder.notes.extend(
            found
                .inside
                .iter()
                .map(|inside| format!("the class folders lie in `{inside}`")),
        );
        builder
            .notes
            .extend(found.unlabelled.iter().map(unlabelled_note));
    }
    builder.notes.extend(walker.notes());
    Ok(builder)
}

fn unlabelled_note(found: &Unlabelled) -> String {
    let place = match found.place.as_str() {
        "" => "the folder itself".to_owned(),
        place => format!("`{place}`"),
    };
    let images = found.images;
    if found.named {
        format!(
            "{images} images in {place} have no label, as the folder's name says: passed over (`vlpt predict` names their classes; if it is a class, rename the folder)"
        )
    } else {
        format!(
            "{images} images in {place} lie in no class folder and have no label: passed over (`vlpt predict` names their classes)"
        )
    }
}
