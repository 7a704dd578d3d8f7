//! A bare folder of class folders: the split is made.

use std::collections::BTreeMap;
use std::path::Path;

use super::folders::{Names, folders_in, holds_images, list};
use super::layout::{Gives, Item, Layout};
use super::name_map::place_names;
use super::splits::read_splits;
use super::task_builder::TaskBuilder;
use super::unlabelled::{is_container, is_unlabelled};
use crate::archive::Root;
use crate::error::Result;
use crate::format::Format;
use crate::image::has_image_ending as is_image;
use crate::readers::options::OpenOptions;
use crate::sample::{ImageRef, Sample};
use crate::split_name::SplitName;

pub(super) const EXPECTED: &str = "<class>/* with images and no split (two classes or more)";

/// Class folders that are looked into for folders inside; more are not told apart that way.
const LOOKED_INTO: usize = 64;
/// How deep images may lie below a class folder to be found.
const DEPTH: usize = 8;

/// What a folder of folders looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Look {
    /// Two or more class folders with images directly in them.
    Flat,
    /// As before, and this one is called like a split.
    FlatWith(String),
    /// Class folders with folders inside that hold the images.
    Nested,
    /// Folders with folders of images inside, which could be classes or data sets of their own.
    Unclear,
}

/// What the folders at `path` look like; `None`: not like class folders.
pub(super) fn look(path: &Path) -> Option<Look> {
    let names = list(path).ok()?;
    let odd = names.odd_folders.len();
    let (split_like, folders): (Vec<&String>, Vec<&String>) = names
        .folders
        .iter()
        .filter(|name| !is_unlabelled(name))
        .partition(|name| SplitName::from_name(name).is_some());
    let direct = |name: &&String| holds_images(&path.join(name), 0);
    // `images` beside `test_images` are no classes, but one of them beside `cat` may be
    let means_a_class = |name: &&String| !says_nothing(name) && direct(name);
    let any = odd > 0 || folders.iter().any(means_a_class);
    match split_like[..] {
        [] if any && folders.iter().filter(|name| direct(name)).take(2).count() + odd >= 2 => {
            Some(Look::Flat)
        }
        [] => nested(path, &folders),
        [split_like] => {
            let place = path.join(split_like);
            let flat = holds_images(&place, 0)
                && folders_in(&place)
                    .iter()
                    .all(|name| !holds_images(&place.join(name), DEPTH));
            (flat && any).then(|| Look::FlatWith(split_like.clone()))
        }
        _ => None,
    }
}

/// Whether a folder is called after what it holds or after a split, such as `images`, `test1` or
/// `train_images`, and so hardly after a class.
fn says_nothing(name: &str) -> bool {
    let lower = name.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphabetic());
    is_container(name)
        || lower.contains("image")
        || words.any(|word| SplitName::from_name(word).is_some())
}

/// Folders that hold images only in folders below.
fn nested(path: &Path, folders: &[&String]) -> Option<Look> {
    let mut with = 0;
    let mut mixed = false;
    let mut single = true;
    let mut numbered = true;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let named = folders.iter().filter(|name| !says_nothing(name));
    for folder in named.take(LOOKED_INTO) {
        let place = path.join(folder);
        if !holds_images(&place, DEPTH) {
            continue;
        }
        with += 1;
        let Names { folders, files, .. } = list(&place).unwrap_or_default();
        mixed |= files.iter().any(|name| is_image(name));
        if folders
            .iter()
            .any(|name| SplitName::from_name(name).is_some())
        {
            return None; // a data set of its own
        }
        single &= folders.len() <= 1;
        numbered &= folders
            .iter()
            .all(|name| name.bytes().any(|b| b.is_ascii_digit()));
        for folder in folders {
            *counts.entry(folder).or_default() += 1;
        }
    }
    if with < 2 {
        return None;
    }
    let shared = counts.values().any(|count| *count > 1);
    Some(if mixed || single || numbered || shared {
        Look::Nested
    } else {
        Look::Unclear
    })
}

/// What speaks for this layout: at least two folders with images in them. One that is called like a
/// split is a class only where it holds images directly, as its neighbours do.
pub(super) fn recognise(path: &Path) -> Option<String> {
    match look(path)? {
        Look::Flat => Some("folders with images, none named like a split".to_owned()),
        Look::FlatWith(name) => Some(format!(
            "folders with images; `{name}` is one of them, though it is named like a split"
        )),
        Look::Nested => Some("folders with images in folders inside them".to_owned()),
        Look::Unclear => None,
    }
}

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
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
    },
    Layout {
        name: "nested class folders",
        format: Format::ClassFolders,
        sign: "class folders whose images lie in folders inside, which have the same names, numbers in them, or images beside; with other names inside, `--format classfolders` reads them so",
        open: "",
        flags: "",
        example: &[
            Item::Images(&["cat/2023/1.jpg", "cat/2023/2.jpg", "cat/2024/1.jpg"]),
            Item::Images(&["dog/2023/1.jpg", "dog/2023/2.jpg", "dog/2024/1.jpg"]),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 2, 2]),
    },
    Layout {
        name: "a class called train",
        format: Format::ClassFolders,
        sign: "one folder called after a split that holds images directly, beside class folders that do",
        open: "",
        flags: "",
        example: &[
            Item::Images(&["bus/1.jpg", "bus/2.jpg", "bus/3.jpg"]),
            Item::Images(&["car/1.jpg", "car/2.jpg", "car/3.jpg"]),
            Item::Images(&["train/1.jpg", "train/2.jpg", "train/3.jpg"]),
        ],
        gives: Gives::single(&["bus", "car", "train"], [3, 3, 3]),
    },
    Layout {
        name: "one folder around",
        format: Format::ClassFolders,
        sign: "nothing but one folder that holds a data set of any layout",
        open: "",
        flags: "",
        example: &[
            Item::Text("readme.txt", "Photos of mine.\n"),
            Item::Images(&["photos/cat/1.jpg", "photos/cat/2.jpg", "photos/cat/3.jpg"]),
            Item::Images(&["photos/dog/1.jpg", "photos/dog/2.jpg", "photos/dog/3.jpg"]),
        ],
        gives: Gives::single(&["cat", "dog"], [2, 2, 2]),
    },
    Layout {
        name: "class folders with names in a file",
        format: Format::ClassFolders,
        sign: "`classnames.txt` beside class folders: lines `folder name`, or a name for each folder in sorted order",
        open: "",
        flags: "",
        example: &[
            Item::Text(
                "classnames.txt",
                "n02123045 tabby cat\nn02106662 German shepherd\n",
            ),
            Item::Images(&["n02106662/1.jpg", "n02106662/2.jpg", "n02106662/3.jpg"]),
            Item::Images(&["n02123045/1.jpg", "n02123045/2.jpg", "n02123045/3.jpg"]),
        ],
        gives: Gives::single(&["German shepherd", "tabby cat"], [2, 2, 2]),
    },
];

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let root = Root::open(path)?;
    let mut builder = read_splits(&root, &[(SplitName::Train, String::new())], options)?;
    note_nested(&mut builder);
    place_names(&mut builder, path, options)?;
    Ok(builder)
}

/// Says which folder is the class where images lie deeper.
fn note_nested(builder: &mut TaskBuilder) {
    let deep = |sample: &Sample| match &sample.image {
        ImageRef::File { path, .. } if path.split('/').count() > 2 => Some(path.to_string()),
        _ => None,
    };
    if let Some(path) = builder.train.iter().flatten().find_map(deep) {
        let class = path.split('/').next().unwrap_or_default().to_owned();
        builder.notes.push(format!(
            "images lie in folders inside the class folders, such as `{path}`: the class is the first folder, here `{class}`"
        ));
    }
}
