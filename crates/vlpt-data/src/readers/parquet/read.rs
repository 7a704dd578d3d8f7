//! From the rows of Parquet files to a task.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArrayType, Int32Type, Int64Type};
use parquet::schema::types::SchemaDescriptor;

use crate::archive::{ParquetTable, WindowCache};
use crate::error::{LayoutError, Result};
use crate::readers::folders::base_name;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, labels_by_name};
use crate::sample::{ImageRef, Sample};
use crate::split_name::SplitName;

use super::choose;
use super::columns::{self, Columns, Labels};

pub(in crate::readers) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let (root, found) = choose::choose(path, options)?;
    let cache = Arc::new(WindowCache::default());
    let mut tables: Vec<(SplitName, Arc<ParquetTable>)> = Vec::new();
    let mut columns: Option<Columns> = None;
    for (number, file) in (0..).zip(&found.files) {
        let table = ParquetTable::open(&root, &file.name, number, &cache)?;
        let here = columns::choose(&root.join(&file.name), &table, options)?;
        if let Some(before) = columns.as_ref().filter(|before| **before != here) {
            return Err(LayoutError::BadEntry {
                file: root.join(&file.name),
                place: "schema".to_owned(),
                found: here.told(),
                expected: format!("{}, as in {}", before.told(), found.files[0].name),
            }
            .into());
        }
        tables.push((file.part, Arc::new(table.with_image_leaf(here.image_leaf))));
        columns = Some(here);
    }
    let Some(columns) = columns else {
        return Err(LayoutError::Nothing {
            path: path.into(),
            what: "Parquet files".into(),
        }
        .into());
    };

    let mut rows: Vec<(SplitName, Arc<ParquetTable>, Vec<Cell>)> = Vec::new();
    for (part, table) in tables {
        let cells = labels(&table, &columns)?;
        rows.push((part, table, cells));
    }
    let classes = match (&options.class_file, &columns.labels) {
        (Some(file), _) => class_list(file)?,
        (None, Labels::Named(names)) => names.clone(),
        (None, Labels::Text) => texts(&rows),
        (None, Labels::Numbers) => {
            return Err(LayoutError::ChooseColumn {
                file: root.join(&found.files[0].name),
                what: format!(
                    "the label column `{}` has numbers without class names (no ClassLabel), and no file with the classes was named",
                    columns.label_name
                ),
                columns: columns.all.clone(),
            }
            .into());
        }
    };
    let mut builder = TaskBuilder::new(base_name(path), classes);
    builder.notes = found.notes;
    builder.notes.push(format!(
        "images are in `{}`, labels in `{}`",
        columns.image_name, columns.label_name
    ));
    let label_of = labels_by_name(&builder.classes);
    for part in SplitName::ALL {
        let mut samples = Vec::new();
        let mut unlabelled = 0;
        for (_, table, cells) in rows.iter().filter(|(p, ..)| *p == part) {
            for (row, cell) in (0..).zip(cells) {
                let labels = match cell {
                    Cell::Absent => {
                        unlabelled += 1;
                        continue;
                    }
                    Cell::Number(label) => *label,
                    Cell::Text(text) => label_of.get(text).map_or(-1, |label| i64::from(*label)),
                };
                let label = u32::try_from(labels)
                    .ok()
                    .filter(|l| (*l as usize) < builder.classes.len());
                let label = label.ok_or_else(|| LayoutError::BadEntry {
                    file: root.join(table.name()),
                    place: format!("row {row}"),
                    found: format!("label {cell}"),
                    expected: format!("one of the {} classes", builder.classes.len()),
                })?;
                let image = ImageRef::Parquet {
                    table: Arc::clone(table),
                    row,
                };
                samples.push(Sample {
                    image,
                    labels: vec![label],
                });
            }
        }
        if unlabelled > 0 {
            builder.notes.push(format!(
                "{unlabelled} rows of the {} split have no label and were left out",
                part.name()
            ));
        }
        if rows.iter().any(|(p, ..)| *p == part) {
            builder.set(part, samples);
        }
    }
    Ok(builder)
}

/// One label as it stands in the file.
#[derive(Debug)]
enum Cell {
    Absent,
    Number(i64),
    Text(String),
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "`{text}`"),
        }
    }
}

/// Class names of a text column: those that occur, sorted.
fn texts(rows: &[(SplitName, Arc<ParquetTable>, Vec<Cell>)]) -> Vec<String> {
    let cells = rows.iter().flat_map(|(.., cells)| cells);
    let names: BTreeSet<String> = cells
        .filter_map(|cell| {
            if let Cell::Text(text) = cell {
                Some(text.clone())
            } else {
                None
            }
        })
        .collect();
    names.into_iter().collect()
}

/// Labels of all rows. A null or -1, which Hugging Face writes where labels are kept secret, is no
/// label.
fn labels(table: &ParquetTable, columns: &Columns) -> Result<Vec<Cell>> {
    use parquet::basic::Type;
    let number = |value: Option<i64>| match value {
        None | Some(-1) => Cell::Absent,
        Some(value) => Cell::Number(value),
    };
    let leaf = columns.label_leaf;
    let schema: &SchemaDescriptor = table.metadata().file_metadata().schema_descr();
    let kind = schema.column(leaf).physical_type();
    let mut cells = Vec::new();
    for group in 0..table.metadata().num_row_groups() {
        let rows = table.metadata().row_group(group).num_rows().max(0) as usize;
        match kind {
            Type::INT32 => {
                let values = table.column::<Int32Type>(leaf, group, 0, rows)?;
                cells.extend(values.into_iter().map(|value| number(value.map(i64::from))));
            }
            Type::BYTE_ARRAY => {
                let values = table.column::<ByteArrayType>(leaf, group, 0, rows)?;
                cells.extend(values.into_iter().map(|value| {
                    value.map_or(Cell::Absent, |text| {
                        Cell::Text(String::from_utf8_lossy(text.data()).into_owned())
                    })
                }));
            }
            _ => {
                let values = table.column::<Int64Type>(leaf, group, 0, rows)?;
                cells.extend(values.into_iter().map(number));
            }
        }
    }
    if cells.len() as u64 != table.rows() {
        return Err(LayoutError::DamagedArchive {
            origin: table.name().to_owned(),
            kind: "Parquet",
            detail: format!("{} labels for {} rows", cells.len(), table.rows()),
        }
        .into());
    }
    Ok(cells)
}
