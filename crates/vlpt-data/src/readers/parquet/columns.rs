//! Which column holds the images, and which the labels.

use std::path::Path;

use parquet::basic::Type;

use crate::archive::ParquetTable;
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;

/// End of the path of an image struct's bytes.
const BYTES: &str = ".bytes";

/// The columns of a file that are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) image_leaf: usize,
    pub(super) image_name: String,
    pub(super) label_leaf: usize,
    pub(super) label_name: String,
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
            self.image_name, self.label_name
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

/// Class names by column, from the features that Hugging Face keeps in the metadata.
fn class_labels(path: &Path, table: &ParquetTable) -> Result<Vec<(String, Vec<String>)>> {
    let metadata = table.metadata().file_metadata().key_value_metadata();
    let text = metadata
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == "huggingface"))
        .and_then(|pair| pair.value.as_deref());
    let Some(text) = text else {
        return Ok(Vec::new());
    };
    let json: serde_json::Value =
        serde_json::from_str(text).map_err(|error| LayoutError::BadEntry {
            file: path.to_path_buf(),
            place: "metadata key `huggingface`".to_owned(),
            found: format!("no JSON ({error})"),
            expected: "JSON with info.features".to_owned(),
        })?;
    let Some(features) = json.pointer("/info/features").and_then(|f| f.as_object()) else {
        return Ok(Vec::new());
    };
    let is = |feature: &serde_json::Value, kind: &str| feature["_type"].as_str() == Some(kind);
    Ok(features
        .iter()
        .filter(|(_, feature)| is(feature, "ClassLabel"))
        .filter_map(|(name, feature)| {
            let names = feature["names"].as_array()?.iter();
            let names: Option<Vec<String>> = names.map(|n| n.as_str().map(str::to_owned)).collect();
            Some((name.clone(), names?))
        })
        .collect())
}

pub(super) fn choose(path: &Path, table: &ParquetTable, options: &OpenOptions) -> Result<Columns> {
    let schema = table.metadata().file_metadata().schema_descr();
    // leaf index, its path, its type; repeated leaves cannot be read row by row
    let leaves: Vec<(usize, String, Type)> = schema
        .columns()
        .iter()
        .enumerate()
        .filter(|(_, column)| column.max_rep_level() == 0)
        .map(|(leaf, column)| (leaf, column.path().string(), column.physical_type()))
        .collect();
    let all: Vec<String> = schema
        .columns()
        .iter()
        .map(|column| format!("{} ({})", column.path().string(), column.physical_type()))
        .collect();
    let unclear = |what: String, columns: Vec<String>| LayoutError::ChooseColumn {
        file: path.to_path_buf(),
        what,
        columns,
    };

    let bytes_of = |name: &str| {
        leaves.iter().find(|(_, leaf, kind)| {
            *kind == Type::BYTE_ARRAY && (leaf == name || *leaf == format!("{name}{BYTES}"))
        })
    };
    let image = if let Some(name) = &options.image_column {
        bytes_of(name).ok_or_else(|| unclear(format!("no image column `{name}`"), all.clone()))?
    } else {
        let found: Vec<_> = leaves
            .iter()
            .filter(|(_, leaf, kind)| {
                *kind == Type::BYTE_ARRAY && leaf.strip_suffix(BYTES).is_some()
            })
            .collect();
        match found[..] {
            [one] => one,
            [] => ["image", "img"]
                .iter()
                .find_map(|name| bytes_of(name))
                .ok_or_else(|| {
                    unclear(
                        "no column holds images (a struct with `bytes` and `path`)".into(),
                        all.clone(),
                    )
                })?,
            _ => {
                let names = found.iter().map(|(_, leaf, _)| leaf.clone()).collect();
                return Err(unclear("more than one column holds images".into(), names).into());
            }
        }
    };

    let named = class_labels(path, table)?;
    let label_name = match (&options.label_column, &named[..]) {
        (Some(name), _) | (None, [(name, _)]) => name.clone(),
        (None, []) => {
            let usual = ["label", "labels", "class"].iter();
            let mut usual = usual.filter(|name| leaves.iter().any(|(_, leaf, _)| leaf == *name));
            let name = usual
                .next()
                .ok_or_else(|| unclear("no column is a ClassLabel".into(), all.clone()))?;
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
    let (label_leaf, _, kind) = leaves
        .iter()
        .find(|(_, leaf, _)| *leaf == label_name)
        .ok_or_else(|| unclear(format!("no label column `{label_name}`"), all.clone()))?;
    let names = named
        .into_iter()
        .find(|(name, _)| *name == label_name)
        .map(|(_, names)| names);
    let labels = match (names, kind) {
        (Some(names), Type::INT32 | Type::INT64) => Labels::Named(names),
        (None, Type::INT32 | Type::INT64) => Labels::Numbers,
        (None, Type::BYTE_ARRAY) => Labels::Text,
        _ => {
            let what = format!("the label column `{label_name}` holds {kind}, not labels");
            return Err(unclear(what, all).into());
        }
    };
    let image_name = image.1.trim_end_matches(BYTES).to_owned();
    Ok(Columns {
        image_leaf: image.0,
        image_name,
        label_leaf: *label_leaf,
        label_name,
        labels,
        all,
    })
}
