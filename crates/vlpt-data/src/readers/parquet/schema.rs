//! The columns of a Parquet or Arrow file as the choice of columns sees them.

use std::path::Path;

use parquet::basic::{ConvertedType, LogicalType, Type};

use crate::archive::{ArrowLeaf, ArrowTable, ParquetTable};
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
    /// The type as its format names it.
    pub(super) type_name: String,
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
        format!("{} ({}{text}{list})", self.path, self.type_name)
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
            type_name: column.physical_type().to_string(),
            text: matches!(converted, ConvertedType::UTF8 | ConvertedType::ENUM)
                || matches!(logical, Some(LogicalType::String | LogicalType::Enum)),
            lists: column.max_rep_level(),
        }
    };
    schema.columns().iter().enumerate().map(leaf).collect()
}

/// All leaves of an Arrow file.
pub(super) fn arrow_leaves(table: &ArrowTable) -> Vec<Leaf> {
    let leaf = |(index, leaf): (usize, &ArrowLeaf)| Leaf {
        index,
        path: leaf.path.clone(),
        root: leaf.path.split('.').next().unwrap_or_default().to_owned(),
        kind: match leaf {
            leaf if leaf.is_bytes() => Type::BYTE_ARRAY,
            leaf if leaf.is_number() => Type::INT64,
            _ => Type::FIXED_LEN_BYTE_ARRAY,
        },
        type_name: leaf.type_name.clone(),
        // what is text is said by its name
        text: leaf.is_text(),
        lists: i16::try_from(leaf.lists()).unwrap_or(i16::MAX),
    };
    table.leaves().iter().enumerate().map(leaf).collect()
}

/// The text in which Hugging Face describes the columns of a Parquet file.
pub(super) fn description(table: &ParquetTable) -> Option<&str> {
    let metadata = table.metadata().file_metadata().key_value_metadata();
    metadata
        .and_then(|pairs| pairs.iter().find(|pair| pair.key == "huggingface"))
        .and_then(|pair| pair.value.as_deref())
}

/// Class names by column, from the features that Hugging Face keeps in the metadata; those of lists
/// of labels as well.
pub(super) fn class_labels(path: &Path, text: Option<&str>) -> Result<Vec<(String, Vec<String>)>> {
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
