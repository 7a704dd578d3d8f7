//! torchvision's ImageFolder: `train/<class>/*`, `val/<class>/*`, `test/<class>/*`.

use std::collections::BTreeMap;
use std::path::Path;

use super::folders::{folders_in, holds_images};
use super::layout::{Gives, Item, Layout};
use super::name_map::place_names;
use super::splits::read_splits;
use super::task_builder::TaskBuilder;
use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

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

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "ImageFolder",
        format: Format::ImageFolder,
        sign: "a folder called after a split that holds class folders with images",
        open: "",
        flags: "",
        example: &[
            Item::Text("classnames.txt", "n01443537 goldfish\nn02219486 ant\n"),
            Item::Images(&["train/n01443537/1.jpg", "train/n02219486/2.jpg"]),
            Item::Images(&["test/n01443537/3.jpg", "test/n02219486/4.jpg"]),
        ],
        gives: Gives::single(&["goldfish", "ant"], [2, 0, 2]),
    },
    Layout {
        name: "ImageFolder with unlabelled images",
        format: Format::ImageFolder,
        sign: "as ImageFolder; a split without class folders (as the test images of Kaggle), and folders called `unlabeled` and the like, are passed over with a note",
        open: "",
        flags: "",
        example: &[
            Item::Images(&["train/cat/1.jpg", "train/dog/2.jpg"]),
            Item::Image("train/unlabeled/3.jpg"),
            Item::Images(&["val/cat/4.jpg", "val/dog/5.jpg"]),
            Item::Images(&["test/6.jpg", "test/7.jpg"]),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 2]),
    },
];

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
    note_beside(&mut builder, path);
    place_names(&mut builder, path, options)?;
    Ok(builder)
}

/// Says which folders with images lie beside those of the splits.
fn note_beside(builder: &mut TaskBuilder, path: &Path) {
    let beside: Vec<String> = folders_in(path)
        .into_iter()
        .filter(|name| SplitName::from_name(name).is_none() && holds_images(&path.join(name), 2))
        .map(|name| format!("`{name}`"))
        .collect();
    if !beside.is_empty() {
        builder.notes.push(format!(
            "folders beside those of the splits were passed over: {}",
            beside.join(", ")
        ));
    }
}
