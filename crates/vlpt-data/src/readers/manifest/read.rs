//! From tables to a task.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::find::{Search, Table, find, places};
use super::places::{Places, Spot};
use super::rows::{Listed, Row, note_joined, note_missing};
use super::{EXPECTED_CSV, EXPECTED_JSONL, csv_rows, jsonl_rows};
use crate::error::{LayoutError, Result};
use crate::format::Format;
use crate::readers::folders::{base_name, file_sample};
use crate::readers::missing::Missing;
use crate::readers::options::OpenOptions;
use crate::readers::task_builder::TaskBuilder;
use crate::readers::text::{class_list, labels_by_name};
use crate::sample::Sample;
use crate::split_name::SplitName;

/// Files with class names, one a line, that may lie beside a manifest.
const CLASS_FILES: [&str; 3] = ["classes.txt", "classnames.txt", "labels.txt"];

/// One table with its rows.
struct Part {
    table: Table,
    rows: Vec<Row>,
    /// Number of rows in the file.
    listed: usize,
    places: Places,
}

pub(in crate::readers) fn read(
    path: &Path,
    format: Format,
    options: &OpenOptions,
) -> Result<TaskBuilder> {
    let search = search(path, format, options)?;
    let mut notes = search.notes;
    let mut parts = Vec::new();
    let mut ordered: Option<Vec<String>> = None;
    for table in search.tables {
        let mut places = places(&table.file, &table.base, options)?;
        let mut exists = |cell: &str| {
            let found = places
                .settle(&table.file, &[cell])
                .and_then(|()| places.find(cell, &table.file, ""));
            matches!(found, Ok(Spot::At(_)))
        };
        let Listed {
            rows,
            classes,
            notes: of_table,
        } = if format == Format::Csv {
            csv_rows::read(&table.file, options, &mut exists)?
        } else {
            jsonl_rows::read(&table.file, options)?
        };
        notes.extend(of_table);
        if let Some(classes) = classes {
            let before = ordered.get_or_insert_default();
            let new = classes.into_iter().filter(|class| !before.contains(class));
            let new: Vec<String> = new.collect();
            before.extend(new);
        }
        let cells: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
        places.settle(&table.file, &cells)?;
        notes.extend(places.note());
        parts.push(Part {
            table,
            listed: rows.len(),
            rows,
            places,
        });
    }
    let folder = if path.is_file() {
        path.parent().unwrap_or(Path::new(""))
    } else {
        path
    };
    let class_file = options.class_file.clone().or_else(|| {
        let files = CLASS_FILES.iter().map(|name| folder.join(name));
        let mut there = files.filter(|file| file.is_file());
        there.next()
    });
    let listed = class_file.as_deref().map(class_list).transpose()?;
    let is_class = |name: &str| {
        listed
            .as_ref()
            .is_some_and(|names| names.iter().any(|n| n == name))
    };
    let left_out = |row: &Row| row.missing.as_deref().is_some_and(|text| !is_class(text));
    for part in &mut parts {
        let name = part
            .table
            .file
            .file_name()
            .unwrap_or_default()
            .display()
            .to_string();
        notes.extend(note_missing(&part.rows, &name, left_out));
        part.rows.retain(|row| !left_out(row));
        for row in &mut part.rows {
            row.labels.extend(row.missing.take());
        }
        notes.extend(note_joined(&part.rows));
    }
    let rows = || parts.iter().flat_map(|part| &part.rows);
    if let (None, Some(part)) = (rows().next(), parts.iter().find(|part| part.listed > 0)) {
        return Err(LayoutError::Nothing {
            path: part.table.file.clone(),
            what: format!("label: all {} rows say that there is none", part.listed),
        }
        .into());
    }
    let (classes, note) = match (&listed, &class_file, ordered) {
        (Some(names), Some(file), _) => {
            let name = file.file_name().unwrap_or_default().display();
            (names.clone(), format!("class names come from {name}"))
        }
        (.., Some(ordered)) => (
            ordered,
            "class names are those of the columns, in their order".to_owned(),
        ),
        _ => (
            names_of(rows()),
            "class names are the labels that occur, sorted".to_owned(),
        ),
    };
    let mut builder = TaskBuilder::new(base_name(path), classes);
    builder.notes.push(note);
    builder.notes.extend(notes);
    place(&mut builder, parts, class_file.as_deref(), options)?;
    Ok(builder)
}

/// The tables, or the error of there being none or too many.
fn search(path: &Path, format: Format, options: &OpenOptions) -> Result<Search> {
    let mut search = find(path, format, options);
    if search.tables.is_empty() && path.is_file() {
        // named by the user: say what it lacks
        let (file, base) = (path.to_path_buf(), String::new());
        search.tables.push(Table {
            file,
            base,
            part: None,
            sure: true,
        });
    }
    if search.tables.is_empty() {
        if let Some(error) = search.error {
            return Err(error);
        }
        let expected = if format == Format::Csv {
            EXPECTED_CSV
        } else {
            EXPECTED_JSONL
        };
        let (path, expected) = (path.to_path_buf(), expected.to_owned());
        return Err(LayoutError::NotThisFormat {
            path,
            format,
            expected,
        }
        .into());
    }
    let by_split = search.tables.iter().any(|table| table.part.is_some());
    if !by_split && search.tables.len() > 1 {
        let names = search.tables.iter().map(|table| {
            table
                .file
                .file_name()
                .unwrap_or_default()
                .display()
                .to_string()
        });
        return Err(LayoutError::SeveralTables {
            path: path.to_path_buf(),
            names: names.collect(),
        }
        .into());
    }
    Ok(search)
}

/// Puts the images of all tables into their splits.
fn place(
    builder: &mut TaskBuilder,
    parts: Vec<Part>,
    class_file: Option<&Path>,
    options: &OpenOptions,
) -> Result<()> {
    let label_of = labels_by_name(&builder.classes);
    let any_split = parts
        .iter()
        .flat_map(|part| &part.rows)
        .any(|row| row.split.is_some());
    let mut splits: [Option<Vec<Sample>>; 3] = Default::default();
    for Part {
        table,
        rows,
        mut places,
        ..
    } in parts
    {
        let file = &table.file;
        let mut missing = Missing::new(file, options);
        let mut spots = Vec::with_capacity(rows.len());
        for row in &rows {
            spots.push(places.find(&row.path, file, &row.place)?);
        }
        let by_folder = (table.part.is_none() && !any_split)
            .then(|| by_folder(&spots))
            .flatten();
        if by_folder.is_some() {
            builder
                .notes
                .push("the splits are the folders that the images lie in".to_owned());
        }
        for (index, (row, spot)) in rows.iter().zip(&spots).enumerate() {
            let part = match &by_folder {
                Some(parts) => parts[index],
                None => part_of(row, table.part, any_split, file)?,
            };
            let labels = labels_of(row, &label_of, class_file, file)?;
            let samples = splits[part as usize].get_or_insert_default();
            let (exists, image) = match spot {
                Spot::At(image) => (true, image),
                Spot::Missing(image) => (false, image),
            };
            if missing.check(exists, || (row.place.clone(), image.clone())) {
                samples.push(file_sample(places.root(), image, labels));
            }
        }
        builder.notes.extend(missing.finish()?);
    }
    [builder.train, builder.val, builder.test] = splits;
    Ok(())
}

/// The split of each image by the first folder of its path, where all lie in folders called after
/// splits and these are several.
fn by_folder(spots: &[Spot]) -> Option<Vec<SplitName>> {
    let part = |spot: &Spot| {
        let (Spot::At(path) | Spot::Missing(path)) = spot;
        SplitName::from_name(path.split_once('/')?.0)
    };
    let parts: Vec<SplitName> = spots.iter().map(part).collect::<Option<_>>()?;
    let several: BTreeSet<&SplitName> = parts.iter().collect();
    (several.len() > 1).then_some(parts)
}

/// Labels that occur: as numbers where all are numbers, else as text.
fn names_of<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let names: BTreeSet<&String> = rows.flat_map(|row| &row.labels).collect();
    let mut names: Vec<String> = names.into_iter().cloned().collect();
    if names.iter().all(|name| name.parse::<i64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or(i64::MAX));
    }
    names
}

fn part_of(
    row: &Row,
    of_file: Option<SplitName>,
    any_split: bool,
    file: &Path,
) -> Result<SplitName> {
    let bad = |found: String| LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: row.place.clone(),
        found,
        expected: "the split train, val or test".to_owned(),
    };
    match (&row.split, of_file) {
        (_, Some(part)) => Ok(part),
        (Some(name), None) => {
            SplitName::from_name(name).ok_or_else(|| bad(format!("the split `{name}`")).into())
        }
        (None, None) if any_split => Err(bad("no split, while other rows have one".into()).into()),
        (None, None) => Ok(SplitName::Train),
    }
}

/// Labels of a row: names of classes, or with a class file also their numbers from 0.
fn labels_of(
    row: &Row,
    label_of: &BTreeMap<String, u32>,
    class_file: Option<&Path>,
    file: &Path,
) -> Result<Vec<u32>> {
    let mut labels = Vec::with_capacity(row.labels.len());
    for name in &row.labels {
        let by_name = label_of.get(name).copied();
        let number = || {
            name.parse()
                .ok()
                .filter(|label: &u32| (*label as usize) < label_of.len())
        };
        let label = by_name.or_else(|| class_file.and_then(|_| number()));
        let label = label.ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: row.place.clone(),
            found: format!("the label `{name}`"),
            expected: format!(
                "a class of {} or a number below {}",
                class_file.unwrap_or(Path::new("the manifest")).display(),
                label_of.len()
            ),
        })?;
        labels.push(label);
    }
    labels.sort_unstable();
    labels.dedup();
    Ok(labels)
}
