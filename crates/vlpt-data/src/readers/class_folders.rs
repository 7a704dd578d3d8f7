//! A bare folder of class folders: the split is made.

use std::path::Path;

use super::folders::{folders_in, holds_images};
use super::imagefolder::read_splits;
use super::layout::{Gives, Item, Layout};
use super::task_builder::TaskBuilder;
use crate::archive::Root;
use crate::error::Result;
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str = "<class>/* with images and no split (two classes or more)";

/// What speaks for this layout: at least two folders with images directly in them, none of which
/// is called like a split.
pub(super) fn recognise(path: &Path) -> Option<String> {
    let folders = folders_in(path);
    if folders
        .iter()
        .any(|name| SplitName::from_name(name).is_some())
    {
        return None;
    }
    let classes = folders
        .iter()
        .filter(|name| holds_images(&path.join(name), 0));
    let several = classes.take(2).count() == 2;
    several.then(|| "folders with images, none named like a split".to_owned())
}

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "class folders",
    format: Format::ClassFolders,
    sign: "two or more folders with images in them, none called after a split; the split is made",
    open: "",
    flags: "",
    example: &[
        Item::Images(&[
            "cat/1.jpg",
            "cat/2.jpg",
            "cat/3.jpg",
            "cat/4.jpg",
            "cat/5.jpg",
        ]),
        Item::Images(&[
            "dog/1.jpg",
            "dog/2.jpg",
            "dog/3.jpg",
            "dog/4.jpg",
            "dog/5.jpg",
        ]),
    ],
    gives: Gives::single(&["cat", "dog"], [6, 2, 2]),
}];

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    read_splits(&root, &[(SplitName::Train, String::new())], options)
}
