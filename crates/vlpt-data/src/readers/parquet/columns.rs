//! Which column holds the images, and which the labels.

use std::path::Path;

use super::schema::{Leaf, class_labels};
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;

/// End of the path of an image struct's bytes, and of its file.
const BYTES: &str = ".bytes";
const PATH: &str = ".path";

/// Usual names of a column of encoded images or of paths to them, in the order in which they are
/// looked for.
const IMAGE_NAMES: [&str; 24] = [
    "image",
    "img",
    "images",
    "jpg",
    "jpeg",
    "png",
    "webp",
    "picture",
    "photo",
    "pixel_values",
    "image_bytes",
    "img_bytes",
    "bytes",
    "image_path",
    "img_path",
    "image_file",
    "image_name",
    "file_name",
    "filename",
    "file_path",
    "filepath",
    "file",
    "path",
    "image_id",
];
/// Usual names of a label column.
const LABEL_NAMES: [&str; 14] = [
    "label",
    "labels",
    "class",
    "classes",
    "target",
    "category",
    "cls",
    "class_name",
    "class_label",
    "label_name",
    "fine_label",
    "species",
    "breed",
    "y",
];

/// Where images are: bytes, or paths of files, or bytes with a path where they are null.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Images {
    pub(super) name: String,
    pub(super) bytes: Option<usize>,
    pub(super) path: Option<usize>,
}

/// The columns of a file that are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) images: Images,
    pub(super) label_leaf: usize,
    pub(super) label_name: String,
    /// Whether a row has a list of labels.
    pub(super) label_list: bool,
    pub(super) labels: Labels,
    pub(super) all: Vec<String>,
}

impl Columns {
    /// The columns in words.
    pub(super) fn told(&self) -> String {
        let labels = match &self.labels {
            Labels::Named(names) => format!("{} class names", names.len()),
            Labels::Text => "text".to_owned(),
            Labels::Numbers => "numbers".to_owned(),
        };
        format!(
            "images in `{}` and labels in `{}` ({labels})",
            self.images.name, self.label_name
        )
    }
}

/// What a label column holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Labels {
    /// Numbers with these names.
    Named(Vec<String>),
    /// Class names.
    Text,
    /// Numbers without names.
    Numbers,
}

/// Chooses among the leaves of the file at `path`; `description` is what Hugging Face says of them.
///
/// # Errors
/// No column or more than one could be meant.
pub(super) fn choose(
    path: &Path,
    leaves: &[Leaf],
    description: Option<&str>,
    options: &OpenOptions,
) -> Result<Columns> {
    let all: Vec<String> = leaves.iter().map(Leaf::told).collect();
    let unclear = |what: String, columns: Vec<String>| LayoutError::ChooseColumn {
        file: path.to_path_buf(),
        what,
        columns,
    };
    let images = images(leaves, options.image_column.as_deref())
        .map_err(|(what, columns)| unclear(what, columns.unwrap_or_else(|| all.clone())))?;

    let named = class_labels(path, description)?;
    let fits = |leaf: &&Leaf| leaf.lists <= 1 && (leaf.counts() || leaf.text || is_bytes(leaf));
    let label_name = match (&options.label_column, &named[..]) {
        (Some(name), _) | (None, [(name, _)]) => name.clone(),
        (None, []) => {
            let here = |name: &&&str| leaves.iter().filter(fits).any(|leaf| leaf.root == **name);
            let usual = LABEL_NAMES.iter().filter(|name| **name != images.name);
            let name = usual.clone().find(here).ok_or_else(|| {
                let what = "no column is a ClassLabel, and none is called label, class, target or the like";
                unclear(what.into(), all.clone())
            })?;
            (*name).to_owned()
        }
        (None, many) => {
            let names = many
                .iter()
                .map(|(name, names)| format!("{name} ({} classes)", names.len()))
                .collect();
            return Err(unclear("more than one column could be the label".into(), names).into());
        }
    };
    let label = leaves
        .iter()
        .find(|leaf| leaf.path == label_name || leaf.root == label_name)
        .ok_or_else(|| unclear(format!("no label column `{label_name}`"), all.clone()))?;
    let names = named.into_iter().find(|(name, _)| *name == label.root);
    let labels = match names {
        Some((_, names)) if label.counts() => Labels::Named(names),
        None if label.counts() => Labels::Numbers,
        _ if is_bytes(label) => Labels::Text,
        _ => {
            let what = format!(
                "the label column `{label_name}` holds {}, not labels",
                label.type_name
            );
            return Err(unclear(what, all).into());
        }
    };
    if label.lists > 1 {
        let what = format!("the label column `{label_name}` holds lists of lists");
        return Err(unclear(what, all).into());
    }
    Ok(Columns {
        images,
        label_leaf: label.index,
        label_name,
        label_list: label.lists == 1,
        labels,
        all,
    })
}

fn is_bytes(leaf: &Leaf) -> bool {
    leaf.kind == parquet::basic::Type::BYTE_ARRAY
}

/// The image column: the one that is named; the only struct with bytes; the first with a usual name,
/// bytes before texts; the only one with bytes that are no text.
fn images(
    leaves: &[Leaf],
    named: Option<&str>,
) -> std::result::Result<Images, (String, Option<Vec<String>>)> {
    let usable: Vec<&Leaf> = leaves
        .iter()
        .filter(|leaf| leaf.lists == 0 && is_bytes(leaf))
        .collect();
    let structs: Vec<&Leaf> = usable
        .iter()
        .copied()
        .filter(|leaf| leaf.path.ends_with(BYTES))
        .collect();
    let of_struct = |leaf: &Leaf| {
        let name = leaf.path.trim_end_matches(BYTES).to_owned();
        let path = format!("{name}{PATH}");
        Images {
            path: usable
                .iter()
                .find(|leaf| leaf.path == path)
                .map(|leaf| leaf.index),
            bytes: Some(leaf.index),
            name,
        }
    };
    let of_leaf = |leaf: &Leaf| Images {
        name: leaf.path.clone(),
        bytes: (!leaf.text).then_some(leaf.index),
        path: leaf.text.then_some(leaf.index),
    };
    let by_name = |name: &str| usable.iter().copied().find(|leaf| leaf.path == name);
    if let Some(name) = named {
        let bytes = by_name(&format!("{name}{BYTES}"));
        return bytes
            .map(of_struct)
            .or_else(|| by_name(name).map(of_leaf))
            .ok_or_else(|| (format!("no image column `{name}`"), None));
    }
    match structs[..] {
        [one] => return Ok(of_struct(one)),
        [] => {}
        _ => {
            let names = structs.iter().map(|leaf| leaf.path.clone()).collect();
            return Err(("more than one column holds images".into(), Some(names)));
        }
    }
    let bytes: Vec<&Leaf> = usable.iter().copied().filter(|leaf| !leaf.text).collect();
    let mut usual = IMAGE_NAMES.iter().filter_map(|name| by_name(name));
    let found = usual
        .clone()
        .find(|leaf| !leaf.text)
        .or_else(|| usual.next());
    found
        .or(if let [one] = bytes[..] { Some(one) } else { None })
        .map(of_leaf)
        .ok_or_else(|| {
            let what = "no column holds images (a struct with `bytes` and `path`, bytes, or paths of files)";
            (what.into(), None)
        })
}
