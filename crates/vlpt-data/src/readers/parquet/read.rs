//! From the rows of Parquet or Arrow files to a task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::archive::{ParquetTable, Root, WindowCache};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::effect::{DataSetting, without_effect};
use crate::readers::folders::base_name;
use crate::readers::options::OpenOptions;
use crate::readers::shards::{self, Splits};
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, labels_by_name};
use crate::sample::Sample;
use crate::split_name::SplitName;

use super::columns::{self, Columns, Labels};
use super::find::find;
use super::places::Places;
use super::schema::{description, leaves};
use super::table::RowTable;

pub(in crate::readers) fn read(path: &Path, options: &OpenOptions) -> Result<TaskBuilder> {
    let folder = match path.parent() {
        Some(parent) if path.is_file() && !parent.as_os_str().is_empty() => parent,
        Some(_) if path.is_file() => Path::new("."),
        _ => path,
    };
    let root = Root::open(folder)?;
    let found = find(path)?;
    let found = match &found[..] {
        [] => {
            return Err(LayoutError::NotThisFormat {
                path: path.to_path_buf(),
                format: Format::Parquet,
                expected: super::EXPECTED.to_owned(),
            }
            .into());
        }
        [file] if path.is_file() => shards::alone(file),
        files => shards::sort(&root, path, files, options)?,
    };
    let cache = Arc::new(WindowCache::default());
    let open = |number: u32, file: &str| {
        let table = ParquetTable::open(&root, file, number, &cache)?;
        let columns = columns::choose(
            &root.join(file),
            &leaves(&table),
            description(&table),
            options,
        )?;
        let leaf = columns.images.bytes.unwrap_or_default();
        let table = RowTable::Parquet(Arc::new(table.with_image_leaf(leaf)));
        Ok((table, columns))
    };
    of_tables(path, &root, Format::Parquet, found, options, open)
}

/// The task of the files of a set, each of which `open` opens and chooses the columns of.
///
/// # Errors
/// The files have other columns, are damaged, or hold labels that are no classes.
pub(super) fn of_tables(
    path: &Path,
    root: &Arc<Root>,
    format: Format,
    found: Splits,
    options: &OpenOptions,
    open: impl Fn(u32, &str) -> Result<(RowTable, Columns)>,
) -> Result<TaskBuilder> {
    let mut tables: Vec<(SplitName, RowTable)> = Vec::new();
    let mut columns: Option<Columns> = None;
    for (number, (part, file)) in (0..).zip(&found.files) {
        let (table, here) = open(number, file)?;
        if let Some(before) = columns.as_ref().filter(|before| **before != here) {
            return Err(LayoutError::BadEntry {
                file: root.join(file),
                place: "schema".to_owned(),
                found: here.told(),
                expected: format!("{}, as in {}", before.told(), found.files[0].1),
            }
            .into());
        }
        tables.push((*part, table));
        columns = Some(here);
    }
    let Some(columns) = columns else {
        return Err(LayoutError::Nothing {
            path: path.into(),
            what: format!("{format} files"),
        }
        .into());
    };

    let mut rows: Vec<(SplitName, RowTable, Vec<Row>)> = Vec::new();
    for (part, table) in tables {
        let labels = labels(&table, &columns)?;
        rows.push((part, table, labels));
    }
    let classes = match (&options.class_file, &columns.labels) {
        (Some(file), _) => class_list(file)?,
        (None, Labels::Named(names)) => names.clone(),
        (None, Labels::Text) => texts(&rows),
        (None, Labels::Numbers) => {
            return Err(LayoutError::ChooseColumn {
                file: root.join(&found.files[0].1),
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
    builder.multi_label = columns.label_list.then_some(true);
    builder.notes = found.notes;
    builder.notes.push(format!(
        "images are in `{}`, labels in `{}`",
        columns.images.name, columns.label_name
    ));
    let label_of = labels_by_name(&builder.classes);
    let mut places = Places::new(root);
    for part in SplitName::ALL {
        let mut samples = Vec::new();
        let mut unlabelled = 0;
        for (_, table, labels) in rows.iter().filter(|(p, ..)| *p == part) {
            let (images, notes) = places.of(table, &columns.images, options)?;
            builder.notes.extend(notes);
            for (row, (labels, image)) in labels.iter().zip(images).enumerate() {
                let (Some(cells), Some(image)) = (labels, image) else {
                    unlabelled += usize::from(labels.is_none());
                    continue;
                };
                let mut labels = cells
                    .iter()
                    .map(|cell| {
                        cell.label(&label_of, builder.classes.len()).ok_or_else(|| {
                            LayoutError::BadEntry {
                                file: root.join(table.name()),
                                place: format!("row {row}"),
                                found: format!("label {cell}"),
                                expected: format!("one of the {} classes", builder.classes.len()),
                            }
                        })
                    })
                    .collect::<std::result::Result<Vec<u32>, _>>()?;
                labels.sort_unstable();
                labels.dedup();
                samples.push(Sample { image, labels });
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
    // what is said about files of images means nothing where there are none
    let given = [
        (options.image_root.is_some(), DataSetting::ImageRoot),
        (options.skip_missing_images, DataSetting::SkipMissingImages),
    ];
    let idle = given
        .into_iter()
        .find(|(given, _)| *given && !places.named());
    if let Some((_, setting)) = idle {
        return Err(without_effect(path, format, setting));
    }
    Ok(builder)
}

/// The labels of a row, one or a list of them; `None` where it has no label.
type Row = Option<Vec<Cell>>;

/// One label as it stands in the file.
#[derive(Debug)]
enum Cell {
    Number(i64),
    Text(String),
}

impl Cell {
    /// The label among so many classes.
    fn label(&self, label_of: &BTreeMap<String, u32>, classes: usize) -> Option<u32> {
        let label = match self {
            Self::Number(number) => u32::try_from(*number).ok()?,
            Self::Text(text) => *label_of.get(text)?,
        };
        ((label as usize) < classes).then_some(label)
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "`{text}`"),
        }
    }
}

/// Class names of a text column: those that occur, sorted.
fn texts(rows: &[(SplitName, RowTable, Vec<Row>)]) -> Vec<String> {
    let cells = rows.iter().flat_map(|(.., rows)| rows).flatten().flatten();
    let names: BTreeSet<String> = cells
        .filter_map(|cell| match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Number(_) => None,
        })
        .collect();
    names.into_iter().collect()
}

/// Labels of all rows. A null or -1, which Hugging Face writes where labels are kept secret, is no
/// label.
fn labels(table: &RowTable, columns: &Columns) -> Result<Vec<Row>> {
    let leaf = columns.label_leaf;
    let mut rows: Vec<Row> = Vec::new();
    for group in 0..table.groups() {
        if columns.labels == Labels::Text {
            let text = |value: &[u8]| Cell::Text(String::from_utf8_lossy(value).into_owned());
            let values = table.texts(leaf, group)?.into_iter();
            rows.extend(values.map(|row| Some(row?.iter().map(|value| text(value)).collect())));
        } else {
            let values = table.numbers(leaf, group)?.into_iter();
            rows.extend(values.map(|row| {
                let row = row.filter(|row| columns.label_list || *row != [-1])?;
                Some(row.into_iter().map(Cell::Number).collect())
            }));
        }
    }
    Ok(rows)
}
