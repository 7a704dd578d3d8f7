//! Manifests: a table of text or JSON Lines, with one image a row.

mod columns;
mod csv_rows;
mod decode;
mod examples;
mod find;
mod jsonl_rows;
mod names;
pub(super) mod places;
mod read;
mod rows;
mod sheet;

use std::path::Path;

use super::options::OpenOptions;
use crate::error::DataError;
use crate::format::Format;

pub(super) use examples::{LAYOUTS_CSV, LAYOUTS_JSONL};
pub(super) use read::read;

pub(super) const EXPECTED_CSV: &str =
    "a .csv (or .tsv) file with an image column and a label column, and split if it likes";
pub(super) const EXPECTED_JSONL: &str =
    "a .jsonl file with keys path and label, and split if it likes";

/// What speaks for this layout, and whether that is sure. A table whose columns have other than the
/// shortest names is not: it counts where no other layout fits.
pub(super) fn recognise(
    path: &Path,
    format: Format,
    options: &OpenOptions,
) -> Option<(String, bool)> {
    let found = find::find(path, format, options);
    let first = found.tables.first()?;
    let name = first
        .file
        .strip_prefix(path)
        .ok()
        .filter(|p| !p.as_os_str().is_empty());
    let name = name.map_or_else(
        || {
            first
                .file
                .file_name()
                .unwrap_or_default()
                .display()
                .to_string()
        },
        |name| name.display().to_string(),
    );
    Some((format!("the manifest {name}"), first.sure))
}

/// Why the first table at `path` is not read.
pub(super) fn explain(path: &Path, format: Format, options: &OpenOptions) -> Option<DataError> {
    let found = find::find(path, format, options);
    found.unproven.or(found.error)
}

/// Why a table at `path` is not read that is no matter of columns: its text cannot be decoded, or its
/// images are not found.
pub(super) fn unproven(path: &Path, options: &OpenOptions) -> Option<DataError> {
    let formats = [Format::Csv, Format::Jsonl];
    formats
        .into_iter()
        .find_map(|format| find::find(path, format, options).unproven)
}

/// How a table begins.
#[derive(Debug)]
pub(super) struct Head {
    /// What stands between its columns; `None`: it is JSON Lines.
    pub(super) delimiter: Option<char>,
    /// Names of its columns, or keys.
    pub(super) columns: Vec<String>,
    pub(super) has_header: bool,
    /// The cells of its first row.
    pub(super) first: Vec<String>,
}

/// How the table in `file` begins.
pub(super) fn head(file: &Path) -> Option<Head> {
    if find::has_ending(&file.to_string_lossy(), Format::Jsonl) {
        let (columns, first) = jsonl_rows::first(file).ok()?;
        return Some(Head {
            delimiter: None,
            columns,
            has_header: true,
            first,
        });
    }
    let sheet = sheet::head(file).ok()?;
    let first = sheet
        .rows
        .first()
        .map(|(_, row)| row.iter().map(str::to_owned).collect());
    Some(Head {
        delimiter: Some(sheet.delimiter),
        columns: sheet.names,
        has_header: sheet.has_header,
        first: first.unwrap_or_default(),
    })
}
