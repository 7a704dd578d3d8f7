//! Folders that `save_to_disk` of Hugging Face `datasets` writes, and its Arrow files.
//!
//! They are recognised in every build and read with the feature `parquet`.

#[cfg(feature = "parquet")]
mod read;
#[cfg(feature = "parquet")]
mod saved;

use std::path::Path;

use super::folders::list;
use super::layout::{Gives, Item, Layout};
use crate::format::Format;

#[cfg(feature = "parquet")]
pub(super) use read::read;

pub(super) const EXPECTED: &str = "what save_to_disk writes: dataset_dict.json with a folder for each split, or state.json and data-00000-of-N.arrow; or <split>.arrow";

/// The file of a `DatasetDict`, and that of one split.
const DICT: &str = "dataset_dict.json";
const STATE: &str = "state.json";

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Hugging Face save_to_disk",
        format: Format::Arrow,
        sign: "`dataset_dict.json` beside the folders of the splits",
        open: "",
        flags: "",
        example: &[
            Item::Text("dataset_dict.json", "{\"splits\": [\"train\", \"test\"]}"),
            Item::Text(
                "train/state.json",
                "{\"_data_files\": [{\"filename\": \"data-00000-of-00001.arrow\"}], \"_split\": \"train\"}",
            ),
            Item::Arrow {
                path: "train/data-00000-of-00001.arrow",
                classes: &["cat", "dog"],
                labels: &[0, 1, 1],
            },
            Item::Text(
                "test/state.json",
                "{\"_data_files\": [{\"filename\": \"data-00000-of-00001.arrow\"}], \"_split\": \"test\"}",
            ),
            Item::Arrow {
                path: "test/data-00000-of-00001.arrow",
                classes: &["cat", "dog"],
                labels: &[0],
            },
        ],
        gives: Gives::single(&["cat", "dog"], [3, 0, 1]),
    },
    Layout {
        name: "Arrow files",
        format: Format::Arrow,
        sign: "`.arrow` files in the folder, the split in the name as of Parquet files",
        open: "",
        flags: "",
        example: &[
            Item::Arrow {
                path: "shapes-train.arrow",
                classes: &["cat", "dog"],
                labels: &[0, 1],
            },
            Item::Arrow {
                path: "shapes-test.arrow",
                classes: &["cat", "dog"],
                labels: &[1],
            },
        ],
        gives: Gives::single(&["cat", "dog"], [2, 0, 1]),
    },
];

/// An Arrow file's name without its ending, and the ending.
fn arrow_name(name: &str) -> Option<(&str, &str)> {
    let (stem, ending) = name.split_at(name.rfind('.')?);
    ending
        .eq_ignore_ascii_case(".arrow")
        .then_some((stem, ending))
}

/// What speaks for this layout.
pub(super) fn recognise(path: &Path) -> Option<String> {
    if path.is_file() {
        let name = path.file_name()?.to_string_lossy();
        return arrow_name(&name).map(|_| format!("the Arrow file {name}"));
    }
    let names = list(path).ok()?;
    let has = |name: &str| names.files.iter().any(|file| file == name);
    if has(DICT) {
        return Some(format!("the file {DICT}"));
    }
    let file = names.files.iter().find(|name| arrow_name(name).is_some())?;
    Some(if has(STATE) {
        format!("the file {STATE} beside Arrow files")
    } else {
        format!("the Arrow file {file}")
    })
}

/// Says what is missing.
#[cfg(not(feature = "parquet"))]
pub(super) fn read(
    path: &Path,
    _: &super::OpenOptions,
) -> crate::error::Result<super::task_builder::TaskBuilder> {
    Err(super::not_built_in(path, Format::Arrow, "parquet"))
}
