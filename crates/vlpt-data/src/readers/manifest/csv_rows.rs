//! Listed of a table of text.

use std::path::Path;

use super::columns::{Columns, Label, Seen, SplitColumn, choose};
use super::rows::{Listed, Row, labels};
use super::sheet::{self, Sheet};
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

/// Listed that show whether a column is one of 0 and 1; another value in a later row is an error.
const LOOKED_AT: usize = 200;

/// The columns of the file, and its first images as they are written.
///
/// # Errors
/// It cannot be read, or lacks an image or label column.
pub(super) fn columns(file: &Path, options: &OpenOptions) -> Result<(Columns, Vec<String>)> {
    let sheet = sheet::head(file)?;
    let columns = choose_in(&sheet, file, options)?;
    let rows = sheet.rows.iter().take(50);
    let images = rows.map(|(_, row)| sheet.cell(row, columns.image).to_owned());
    let images = images.collect();
    Ok((columns, images))
}

fn choose_in(sheet: &Sheet, file: &Path, options: &OpenOptions) -> Result<Columns> {
    let binary = |column: usize| {
        !sheet.rows.is_empty()
            && sheet
                .rows
                .iter()
                .take(LOOKED_AT)
                .all(|(_, row)| bit(sheet.cell(row, column)).is_some())
    };
    let first = sheet.rows.first().filter(|_| !sheet.has_header);
    let seen = Seen {
        names: &sheet.names,
        has_header: sheet.has_header,
        image_cell: first.and_then(|(_, row)| row.iter().position(|cell| is_image(cell.trim()))),
        binary: &binary,
    };
    let chosen = choose(&seen, options).and_then(|columns| {
        match (&columns.label, options.label_separator) {
            (Label::OneHot(_), Some(sign)) => Err(format!(
                "`--label-separator {sign}` has no effect on labels in columns of 0 and 1"
            )),
            _ => Ok(columns),
        }
    });
    chosen.map_err(|what| {
        LayoutError::ChooseColumn {
            file: file.to_path_buf(),
            what,
            columns: described(sheet),
        }
        .into()
    })
}

/// Names of the columns; of a table without a header, its first line.
fn described(sheet: &Sheet) -> Vec<String> {
    match sheet.rows.first() {
        Some((_, row)) if !sheet.has_header => {
            let cells = row.iter().zip(&sheet.names);
            cells
                .map(|(cell, name)| format!("{name} (`{cell}`)"))
                .collect()
        }
        _ => sheet.names.clone(),
    }
}

/// A cell of a one-hot table.
fn bit(cell: &str) -> Option<bool> {
    match cell {
        "1" | "1.0" | "True" | "true" => Some(true),
        "0" | "0.0" | "False" | "false" => Some(false),
        _ => None,
    }
}

/// All rows. `exists` says whether the image of a cell is there: with columns given by number, it
/// tells a first line that is a row from a header.
///
/// # Errors
/// The file cannot be read, a row is no CSV or lacks a path.
pub(super) fn read(
    file: &Path,
    options: &OpenOptions,
    exists: &mut dyn FnMut(&str) -> bool,
) -> Result<Listed> {
    let mut sheet = sheet::read(file)?;
    let number: Option<usize> = options.image_column.as_ref().and_then(|n| n.parse().ok());
    let first = number.and_then(|number| sheet.names.get(number.checked_sub(1)?));
    if sheet.has_header && first.is_some_and(|cell| exists(cell.trim())) {
        sheet = sheet.without_header();
    }
    let columns = choose_in(&sheet, file, options)?;
    let mut rows = Vec::with_capacity(sheet.rows.len());
    for (line, record) in &sheet.rows {
        rows.push(row(file, &sheet, &columns, *line, record)?);
    }
    let mut notes = columns.notes.clone();
    if !sheet.has_header {
        notes.push(format!(
            "the table has no header: images are column {}, labels column {}",
            columns.image + 1,
            match &columns.label {
                Label::Column(place, _) => (place + 1).to_string(),
                Label::OneHot(_) => "of each class".to_owned(),
            }
        ));
    }
    if let Some(SplitColumn::Perhaps(place)) = columns.split {
        let is_split = |row: &Row| {
            row.split
                .as_deref()
                .is_some_and(|s| SplitName::from_name(s).is_some())
        };
        if !rows.iter().all(is_split) {
            let odd = rows.iter().find(|row| !is_split(row));
            let value = odd.and_then(|row| row.split.clone()).unwrap_or_default();
            notes.push(format!(
                "the column `{}` is not read as a split: `{value}` is no name of one",
                sheet.names[place]
            ));
            for row in &mut rows {
                row.split = None;
            }
        }
    }
    let classes = match &columns.label {
        Label::Column(..) => None,
        Label::OneHot(places) => Some(
            places
                .iter()
                .map(|place| sheet.names[*place].trim().to_owned())
                .collect(),
        ),
    };
    Ok(Listed {
        rows,
        classes,
        notes,
    })
}

fn row(
    file: &Path,
    sheet: &Sheet,
    columns: &Columns,
    line: u64,
    record: &csv::StringRecord,
) -> Result<Row> {
    let place = format!("line {line}");
    let bad = |found: String, expected: &str| LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: place.clone(),
        found,
        expected: expected.to_owned(),
    };
    let path = sheet.cell(record, columns.image);
    if path.is_empty() {
        let name = &sheet.names[columns.image];
        return Err(bad(format!("an empty `{name}`"), "a value").into());
    }
    let (labels, missing) = match &columns.label {
        Label::Column(place, many) => labels(sheet.cell(record, *place), *many),
        Label::OneHot(places) => {
            let mut labels = Vec::new();
            for place in places {
                let cell = sheet.cell(record, *place);
                let name = sheet.names[*place].trim();
                match bit(cell) {
                    Some(true) => labels.push(name.to_owned()),
                    Some(false) => {}
                    None => {
                        let found = format!("`{cell}` in the column `{name}`");
                        return Err(bad(found, "0 or 1, as in the rows before").into());
                    }
                }
            }
            (labels, None)
        }
    };
    let text = |place: usize| Some(sheet.cell(record, place)).filter(|cell| !cell.is_empty());
    let split = match columns.split {
        None => None,
        Some(SplitColumn::Named(place) | SplitColumn::Perhaps(place)) => {
            text(place).map(str::to_owned)
        }
        Some(SplitColumn::Flag(place, (yes, no))) => {
            let cell = sheet.cell(record, place);
            match cell.to_ascii_lowercase().as_str() {
                "true" | "1" | "1.0" | "yes" | "y" | "t" => Some(yes.to_owned()),
                "false" | "0" | "0.0" | "no" | "n" | "f" => Some(no.to_owned()),
                _ => {
                    let found = format!("`{cell}` in the column `{}`", sheet.names[place]);
                    return Err(bad(found, "true or false").into());
                }
            }
        }
    };
    Ok(Row {
        place,
        path: path.to_owned(),
        labels,
        missing,
        split,
    })
}
