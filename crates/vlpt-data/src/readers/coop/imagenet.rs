//! ImageNet and its variants: class folders, and `classnames.txt` with lines of `wnid name`.
//!
//! Folders are sorted, and so are the files inside each. The published loader takes files in the
//! order of the file system, so its few-shot subsets of ImageNet differ from machine to machine;
//! those drawn here do not.

use std::collections::BTreeMap;
use std::path::Path;

use super::sets::{Kind, Set};
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::readers::folders::{empty_class, folders_in};
use crate::readers::options::OpenOptions;
use crate::readers::splits::read_splits;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::folder_names;
use crate::readers::walker::Walker;
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Whether a name is a WordNet id such as `n01440764`.
fn is_wnid(name: &str) -> bool {
    name.len() == 9 && name.starts_with('n') && name[1..].bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn has_class_folders(folder: &Path, numbered: bool) -> bool {
    folders_in(folder).iter().any(|name| {
        if numbered {
            name.parse::<u32>().is_ok()
        } else {
            is_wnid(name)
        }
    })
}

/// Whether this is ImageNet as CoOp wants it, with or without `classnames.txt`.
pub(super) fn looks_like(path: &Path) -> bool {
    ["images/train", "images/val"]
        .iter()
        .any(|folder| has_class_folders(&path.join(folder), false))
}

pub(super) fn read(path: &Path, set: &Set, options: &OpenOptions) -> Result<TaskBuilder> {
    let file = path.join(set.file);
    if !file.is_file() {
        let name = format!("{} in the CoOp layout ({})", set.name, path.display());
        return Err(LayoutError::MissingFile {
            set: name,
            file,
            help: set.help(),
        }
        .into());
    }
    let root = Root::open(path)?;
    let names = folder_names(&file)?;
    if set.kind == (Kind::Variant { numbered: true }) {
        return numbered(&root, set, &names, options);
    }
    let places: Vec<(SplitName, String)> = match set.kind {
        Kind::ImageNet => [(SplitName::Train, "train"), (SplitName::Test, "val")]
            .into_iter()
            .map(|(part, folder)| (part, format!("{}/{folder}", set.images)))
            .filter(|(_, folder)| root.join(folder).is_dir())
            .collect(),
        _ => vec![(SplitName::Test, set.images.to_owned())],
    };
    let mut builder = read_splits(&root, &places, options)?;
    set.name.clone_into(&mut builder.name);
    if set.kind == Kind::ImageNet {
        builder.notes.push(
            "ImageNet's val folder is the test split, and there is no val split: choosing by it would be choosing by test"
                .to_owned(),
        );
    } else if builder.train.is_none() {
        builder.train = Some(Vec::new());
    }
    let name_of: BTreeMap<&str, &str> = names.iter().map(|(f, n)| (&**f, &**n)).collect();
    for class in &mut builder.classes {
        let name = name_of
            .get(class.as_str())
            .ok_or_else(|| LayoutError::BadEntry {
                file: file.clone(),
                place: "class folders".to_owned(),
                found: format!("no line for the folder `{class}`"),
                expected: "a line `wnid name` for each class folder".to_owned(),
            })?;
        *class = (*name).to_owned();
    }
    Ok(builder)
}

/// ImageNetV2: folder `k` holds the images of line `k` (from 0) of the file.
fn numbered(
    root: &std::sync::Arc<Root>,
    set: &Set,
    names: &[(String, String)],
    options: &OpenOptions,
) -> Result<TaskBuilder> {
    let mut walker = Walker::new(root).with_options(options);
    let mut folders = Vec::new();
    for folder in folders_in(&root.join(set.images)) {
        let number = folder
            .parse()
            .ok()
            .filter(|number| (*number as usize) < names.len());
        let label: u32 = number.ok_or_else(|| LayoutError::BadEntry {
            file: root.join(set.images),
            place: "class folders".to_owned(),
            found: format!("a folder `{folder}`"),
            expected: format!(
                "numbers from 0 to {}, the lines of {}",
                names.len().saturating_sub(1),
                set.file
            ),
        })?;
        folders.push((label, folder));
    }
    folders.sort();
    let mut samples: Vec<Sample> = Vec::new();
    for (label, folder) in folders {
        let place = format!("{}/{folder}", set.images);
        let images = walker.images(&place)?;
        if images.is_empty() && !options.drop_empty_classes {
            return Err(empty_class(root, &place).into());
        }
        samples.extend(images.iter().map(|path| walker.sample(path, label)));
    }
    let classes = names.iter().map(|(_, name)| name.clone()).collect();
    let mut builder = TaskBuilder::new(set.name.to_owned(), classes);
    builder.train = Some(Vec::new());
    builder.test = Some(samples);
    builder.notes.extend(walker.notes());
    Ok(builder)
}
