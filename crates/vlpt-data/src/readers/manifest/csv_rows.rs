//! Rows of a CSV file with a header; tabs separate in a .tsv file.

use std::path::Path;

use super::rows::{Columns, Row, choose, split_labels};
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;

type Reader = csv::Reader<fs_err::File>;

fn open(file: &Path) -> Result<(Reader, Vec<String>)> {
    let tabs = file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .from_reader(fs_err::File::open(file)?);
    let header = reader.headers().map_err(|error| bad(file, &error))?;
    let mut names: Vec<String> = header.iter().map(str::to_owned).collect();
    if let Some(first) = names.first_mut() {
        *first = first.trim_start_matches('\u{feff}').to_owned();
    }
    Ok((reader, names))
}

fn bad(file: &Path, error: &csv::Error) -> LayoutError {
    let line = error.position().map_or(1, csv::Position::line);
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: format!("line {line}"),
        found: error.to_string(),
        expected: "CSV with as many fields in each row as in the header".to_owned(),
    }
}

/// The columns of the file.
///
/// # Errors
/// It cannot be read, or lacks an image or label column.
pub(super) fn columns(file: &Path, options: &OpenOptions) -> Result<Columns> {
    let (_, names) = open(file)?;
    choose(&names, options).map_err(|what| {
        LayoutError::ChooseColumn {
            file: file.to_path_buf(),
            what,
            columns: names,
        }
        .into()
    })
}

/// All rows.
///
/// # Errors
/// The file cannot be read, a row is no CSV or lacks a path or a label.
pub(super) fn read(file: &Path, options: &OpenOptions) -> Result<Vec<Row>> {
    let columns = columns(file, options)?;
    let (mut reader, names) = open(file)?;
    let at = |name: &str| names.iter().position(|n| n == name).unwrap_or(usize::MAX);
    let (image, label) = (at(&columns.image), at(&columns.label));
    let split = columns.split.as_deref().map(at);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| bad(file, &error))?;
        let place = format!("line {}", record.position().map_or(0, csv::Position::line));
        let cell = |column: usize| record.get(column).unwrap_or("").trim();
        let needs = |column: &str| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: place.clone(),
            found: format!("an empty `{column}`"),
            expected: "a value".to_owned(),
        };
        if cell(image).is_empty() {
            return Err(needs(&columns.image).into());
        }
        let labels = split_labels(&columns.label, cell(label));
        if labels.iter().any(String::is_empty) {
            return Err(needs(&columns.label).into());
        }
        let split = split
            .map(cell)
            .filter(|cell| !cell.is_empty())
            .map(str::to_owned);
        rows.push(Row {
            path: cell(image).to_owned(),
            place,
            labels,
            split,
        });
    }
    Ok(rows)
}
