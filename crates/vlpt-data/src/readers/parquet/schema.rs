//! The columns of a Parquet file as the choice of columns sees them.

use std::path::Path;

use parquet::basic::{ConvertedType, LogicalType, Type};

use crate::archive::ParquetTable;
use crate::error::{LayoutError, Result};

/// A leaf of the schema.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) index: usize,
    /// Path with dots, such as `image.bytes`.
    pub(super) path: String,
    /// First part of the path: the column as its author sees it.
    pub(super) root: String,
    pub(super) kind: Type,
    /// Whether bytes are text.
    pub(super) text: bool,
    /// Number of lists around a value.
    pub(super) lists: i16,
}

impl Leaf {
    /// Path and type.
    pub(super) fn told(&self) -> String {
        let text = if self.text { ", text" } else { "" };
        let list = if self.lists > 0 { ", in a list" } else { "" };
        format!("{} ({}{text}{list})", self.path, self.kind)
    }

    /// Whether values are numbers that may count classes.
    pub(super) fn counts(&self) -> bool {
        matches!(self.kind, Type::INT32 | Type::INT64 | Type::BOOLEAN)
    }
}

/// All leaves of a file.
pub(super) fn leaves(table: &ParquetTable) -> Vec<Leaf> {
    let schema = table.metadata().file_metadata().schema_descr();
    let leaf = |(index, column): (usize, &parquet::schema::types::ColumnDescPtr)| {
        let converted = column.converted_type();
        let logical = column.logical_type_ref();
        Leaf {
            index,
            path: column.path().string(),
            root: column.path().parts().first().cloned().unwrap_or_default(),
            kind: column.physical_type(),
            text: matches!(converted, ConvertedType::UTF8 | ConvertedType::ENUM)
                || matches!(logical, Some(LogicalType::String | LogicalType::Enum)),
            lists: column.max_rep_level(),
        }
    };
    schema.columns().iter().enumerate().map(leaf).collect()
}

/// Class names by column, from the features that Hugging Face keeps in the metadata; those of lists
/// of labels as well.
pub(super) fn class_labels(
    path: &Path,
    table: &ParquetTable,
) -> Result<Vec<(String, Vec<String>)>> {
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
    let features = json.pointer("/info/features").and_then(|f| f.as_object());
    let named = features.into_iter().flatten();
    Ok(named
        .filter_map(|(name, feature)| Some((name.clone(), names_of(feature)?)))
        .collect())
}

/// The names of a `ClassLabel`, or of a list of them in each of its spellings.
pub(in crate::readers) fn names_of(feature: &serde_json::Value) -> Option<Vec<String>> {
    if let Some(inner) = feature.as_array() {
        return names_of(inner.first()?);
    }
    match feature["_type"].as_str()? {
        "ClassLabel" => {
            let names = feature["names"].as_array()?.iter();
            names.map(|name| name.as_str().map(str::to_owned)).collect()
        }
        "Sequence" | "List" | "LargeList" => names_of(&feature["feature"]),
        _ => None,
    }
}
