//! One JSON object an image: `{"_impath": ..., "_label": ..., "_domain": ..., "_classname": ...}`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Listed, ListedImage, shown};
use crate::error::{ListError, Result};

/// How the names of the two files end.
const TRAIN: &str = "_train.jsonl";
const VAL: &str = "_val.jsonl";

/// A line. The published files have the names of Dassl's record with an underscore.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// Path of the image, from the folder that holds all data sets.
    #[serde(rename = "_impath", alias = "impath")]
    pub(super) path: String,
    /// Label, counted from 0.
    #[serde(rename = "_label", alias = "label")]
    pub(super) label: u32,
    /// Number of the domain; it plays no part here.
    #[serde(rename = "_domain", alias = "domain", default = "no_domain")]
    pub(super) domain: i64,
    /// Name of the class.
    #[serde(rename = "_classname", alias = "classname", default)]
    pub(super) class: String,
}

/// The domain that 2SFS writes where there is none.
pub(super) fn no_domain() -> i64 {
    -1
}

/// The file of the validation images beside that of the training images; none where the name says
/// that it holds no such half.
pub(super) fn partner(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?.strip_suffix(TRAIN)?;
    Some(path.with_file_name(format!("{name}{VAL}")))
}

/// The files that a list of this name is written to.
pub(super) fn halves(path: &Path) -> Option<(PathBuf, PathBuf)> {
    let name = path.file_name()?.to_str()?;
    let name = name
        .strip_suffix(TRAIN)
        .or_else(|| name.strip_suffix(".jsonl"))?;
    let of = |ending: &str| path.with_file_name(format!("{name}{ending}"));
    Some((of(TRAIN), of(VAL)))
}

/// The images of a file; empty lines are passed over.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Listed> {
    let bad = |number: usize, found: String| ListError::Entry {
        path: path.to_owned(),
        place: format!("line {number}"),
        found,
        expected: "an object with _impath, _label (from 0), _domain and _classname",
    };
    let mut images = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let number = index + 1;
        let line = std::str::from_utf8(line)
            .map_err(|error| bad(number, format!("no UTF-8 ({error})")))?
            .trim();
        if line.is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(line).map_err(|error| {
            bad(
                number,
                format!("`{}` ({})", shown(line), shown(&error.to_string())),
            )
        })?;
        images.push(ListedImage {
            number,
            path: line.path,
            label: line.label,
            class: line.class,
        });
    }
    Ok(Listed {
        path: path.to_owned(),
        key: None,
        images,
    })
}
