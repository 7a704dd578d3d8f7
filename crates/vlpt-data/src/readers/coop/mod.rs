//! Folders of the CoOp suite: eleven sets and four variants of ImageNet, each with its quirks.

mod aircraft;
mod imagenet;
mod raw;
mod sets;
mod split_file;

use std::path::{Path, PathBuf};

use super::effect::{DataSetting, without_effect};
use super::folders::{base_name, list};
use super::layout::{Gives, Item, Layout};
use super::task_builder::TaskBuilder;
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::options::OpenOptions;

use sets::{Kind, SETS, Set};

pub(super) const EXPECTED: &str = "split_zhou_*.json beside the image folder, or a set of the CoOp suite with its own lists (imagenet and variants, fgvc_aircraft)";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "CoOp split file",
        format: Format::Coop,
        sign: "`split_zhou_*.json` with the image folder beside",
        open: "",
        flags: "",
        example: &[
            Item::Text(
                "split_zhou_EuroSAT.json",
                "{\"train\": [[\"Forest/1.jpg\", 0, \"Forest\"], [\"River/1.jpg\", 1, \"River\"]],\n \"val\": [[\"River/2.jpg\", 1, \"River\"]],\n \"test\": [[\"Forest/2.jpg\", 0, \"Forest\"]]}\n",
            ),
            Item::Images(&["2750/Forest/1.jpg", "2750/Forest/2.jpg"]),
            Item::Images(&["2750/River/1.jpg", "2750/River/2.jpg"]),
        ],
        gives: Gives::single(&["Forest", "River"], [2, 1, 1]),
    },
    Layout {
        name: "ImageNet as CoOp has it",
        format: Format::Coop,
        sign: "`images/train` or `images/val` with folders called after WordNet ids, and `classnames.txt`",
        open: "",
        flags: "",
        example: &[
            Item::Text("classnames.txt", "n01440764 tench\nn01443537 goldfish\n"),
            Item::Images(&[
                "images/train/n01440764/1.jpg",
                "images/train/n01443537/2.jpg",
            ]),
            Item::Images(&["images/val/n01440764/3.jpg", "images/val/n01443537/4.jpg"]),
        ],
        gives: Gives::single(&["tench", "goldfish"], [2, 0, 2]),
    },
    Layout {
        name: "FGVC-Aircraft",
        format: Format::Coop,
        sign: "`variants.txt` and `images_variant_{train,val,test}.txt`",
        open: "",
        flags: "",
        example: &[
            Item::Text("variants.txt", "707-320\nA300B4\n"),
            Item::Text(
                "images_variant_train.txt",
                "0034309 707-320\n0062765 A300B4\n",
            ),
            Item::Text("images_variant_val.txt", "0034958 707-320\n"),
            Item::Text("images_variant_test.txt", "0037511 A300B4\n"),
            Item::Images(&["images/0034309.jpg", "images/0062765.jpg"]),
            Item::Images(&["images/0034958.jpg", "images/0037511.jpg"]),
        ],
        gives: Gives::single(&["707-320", "A300B4"], [2, 1, 1]),
    },
    Layout {
        name: "CoOp's sets as they are published",
        format: Format::Coop,
        sign: "the set's usual folder name and image folder without `split_zhou_*.json`: split by CoOp's rule, which does not give the published split",
        open: "eurosat",
        flags: "",
        example: &[
            Item::Images(&[
                "eurosat/2750/Forest/Forest_1.jpg",
                "eurosat/2750/Forest/Forest_2.jpg",
                "eurosat/2750/Forest/Forest_3.jpg",
                "eurosat/2750/Forest/Forest_4.jpg",
                "eurosat/2750/Forest/Forest_5.jpg",
            ]),
            Item::Images(&[
                "eurosat/2750/SeaLake/SeaLake_1.jpg",
                "eurosat/2750/SeaLake/SeaLake_2.jpg",
                "eurosat/2750/SeaLake/SeaLake_3.jpg",
                "eurosat/2750/SeaLake/SeaLake_4.jpg",
                "eurosat/2750/SeaLake/SeaLake_5.jpg",
            ]),
        ],
        gives: Gives::single(&["Forest", "Sea or Lake"], [4, 2, 4]),
    },
];

/// How a folder was taken for a set of the suite.
enum Found {
    /// By its split file; a known set or an unknown one.
    Split(PathBuf, Option<&'static Set>),
    /// By the files and folders of a set that has no split file.
    Lists(&'static Set),
    /// By its name and image folder, but the file that splits it is absent.
    Incomplete(&'static Set),
}

fn split_files(path: &Path) -> Vec<String> {
    let files = list(path).map(|names| names.files).unwrap_or_default();
    files
        .into_iter()
        .filter(|name| {
            name.starts_with("split_zhou_")
                && Path::new(name)
                    .extension()
                    .is_some_and(|ending| ending == "json")
        })
        .collect()
}

fn find(path: &Path) -> Option<Found> {
    if let Some(file) = split_files(path).into_iter().next() {
        let set = SETS
            .iter()
            .find(|set| set.kind == Kind::Split && set.file == file);
        return Some(Found::Split(path.join(file), set));
    }
    let folder = base_name(path);
    let here = |set: &&Set| match set.kind {
        Kind::Split => false,
        Kind::Aircraft => path.join(set.file).is_file(),
        Kind::ImageNet => imagenet::looks_like(path),
        Kind::Variant { numbered } => {
            path.join(set.file).is_file()
                && path.join(set.images).is_dir()
                && imagenet::has_class_folders(&path.join(set.images), numbered)
        }
    };
    if let Some(set) = SETS.iter().find(here) {
        return Some(Found::Lists(set));
    }
    let named = |set: &&Set| set.is_called(&folder) && path.join(set.images).is_dir();
    SETS.iter().find(named).map(Found::Incomplete)
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    find(path).map(|found| match found {
        Found::Split(file, _) => base_name_of(&file),
        Found::Lists(set) => format!("{} and {}/ of {}", set.file, set.images, set.name),
        Found::Incomplete(set) => {
            format!(
                "a folder `{}` with {}/, as {} has",
                set.folder, set.images, set.name
            )
        }
    })
}

fn base_name_of(file: &Path) -> String {
    file.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

pub(super) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let files = split_files(path);
    if files.len() > 1 {
        return Err(LayoutError::BadEntry {
            file: path.to_path_buf(),
            place: "split files".to_owned(),
            found: files.join(", "),
            expected: "one split_zhou_*.json".to_owned(),
        }
        .into());
    }
    let found = find(path);
    if let Some(found) = &found {
        check_settings(path, found, options)?;
    }
    match found {
        Some(Found::Split(file, set)) => split_file::read(path, &file, set, options),
        Some(Found::Lists(set)) => match set.kind {
            Kind::Aircraft => aircraft::read(path, set, options),
            _ => imagenet::read(path, set, options),
        },
        Some(Found::Incomplete(set)) => raw::read(path, set, options)?.ok_or_else(|| {
            LayoutError::MissingFile {
                set: format!("{} in the CoOp layout ({})", set.name, path.display()),
                file: path.join(set.file),
                help: set.help(),
            }
            .into()
        }),
        None => {
            let (path, format) = (path.to_path_buf(), Format::Coop);
            Err(LayoutError::NotThisFormat {
                path,
                format,
                expected: EXPECTED.into(),
            }
            .into())
        }
    }
}

/// Refuses settings of class folders where images are listed, and of lists where they are not.
fn check_settings(path: &Path, found: &Found, options: &OpenOptions) -> Result<()> {
    let folders = matches!(found, Found::Lists(set) if set.kind != Kind::Aircraft);
    let idle = if folders {
        (options.skip_missing_images, DataSetting::SkipMissingImages)
    } else {
        (options.drop_empty_classes, DataSetting::DropEmptyClasses)
    };
    match idle {
        (true, setting) => Err(without_effect(path, Format::Coop, setting)),
        _ => Ok(()),
    }
}
