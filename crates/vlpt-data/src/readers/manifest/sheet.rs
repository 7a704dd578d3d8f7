//! A table of text: its delimiter, its header if it has one, its rows.

use std::path::Path;

use super::decode;
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;

/// What may stand between columns; of equal counts in the header the first wins.
const DELIMITERS: [char; 4] = [',', '\t', ';', '|'];

/// A table as it stands in its file.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) delimiter: char,
    /// Names of the columns; where there is no header, `column 1` and so on.
    pub(super) names: Vec<String>,
    pub(super) has_header: bool,
    /// Rows below the header, each with its line.
    pub(super) rows: Vec<(u64, csv::StringRecord)>,
}

impl Sheet {
    /// The cell of a row, without blanks around it.
    pub(super) fn cell<'a>(&self, record: &'a csv::StringRecord, column: usize) -> &'a str {
        record.get(column).unwrap_or("").trim()
    }

    /// Takes the header for a row.
    pub(super) fn without_header(mut self) -> Self {
        if self.has_header {
            let first = csv::StringRecord::from(std::mem::take(&mut self.names));
            self.names = numbered(first.len());
            self.rows.insert(0, (1, first));
            self.has_header = false;
        }
        self
    }
}

fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|n| format!("column {n}")).collect()
}

/// The first rows of a table; where rows cannot be read, those before them.
///
/// # Errors
/// The file cannot be read, or its first line is no CSV.
pub(super) fn head(file: &Path) -> Result<Sheet> {
    parse(file, &decode::head(file)?, true)
}

/// A whole table.
///
/// # Errors
/// The file cannot be read, or some line is no CSV with as many fields as the first.
pub(super) fn read(file: &Path) -> Result<Sheet> {
    parse(file, &decode::text(file)?, false)
}

fn parse(file: &Path, text: &str, lenient: bool) -> Result<Sheet> {
    // Excel's own first line says what separates
    let told = text
        .strip_prefix("sep=")
        .and_then(|rest| Some((rest.chars().next()?, rest.split_once('\n')?.1)))
        .filter(|(sign, _)| DELIMITERS.contains(sign));
    let (delimiter, text, before) = match told {
        Some((sign, rest)) => (sign, rest, 1),
        None => (delimiter(file, text), text, 0),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter as u8)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = before + record.position().map_or(0, |at| line(at, text));
                records.push((line, record));
            }
            Err(_) if lenient && !records.is_empty() => break,
            Err(error) => {
                let line = before + error.position().map_or(1, |at| line(at, text));
                return Err(bad(file, &error, line).into());
            }
        }
    }
    let first_is_row = records
        .first()
        .is_some_and(|(_, record)| record.iter().any(|cell| is_image(last(cell.trim()))));
    let columns = records.first().map_or(0, |(_, record)| record.len());
    let names = if first_is_row || records.is_empty() {
        numbered(columns)
    } else {
        let (_, header) = records.remove(0);
        header.iter().map(str::to_owned).collect()
    };
    Ok(Sheet {
        delimiter,
        names,
        has_header: !first_is_row,
        rows: records,
    })
}

fn last(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// What stands most often in the first line, outside quotes.
fn delimiter(file: &Path, text: &str) -> char {
    let tabs = file
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    let first = text.lines().next().unwrap_or("");
    let count = |sign: char| {
        let mut quoted = false;
        let outside = first.chars().filter(|c| {
            quoted ^= *c == '"';
            !quoted && *c == sign
        });
        outside.count()
    };
    let mut best = if tabs { '\t' } else { ',' };
    for sign in DELIMITERS {
        if count(sign) > count(best) && !(tabs && count('\t') > 0) {
            best = sign;
        }
    }
    best
}

/// The line of a record; the library's own number is that before blank lines.
fn line(at: &csv::Position, text: &str) -> u64 {
    let rest = text
        .as_bytes()
        .get(at.byte() as usize..)
        .unwrap_or_default();
    let blank = rest.iter().take_while(|byte| **byte == b'\n').count();
    at.line() + blank as u64
}

fn bad(file: &Path, error: &csv::Error, line: u64) -> LayoutError {
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place: format!("line {line}"),
        found: error.to_string(),
        expected: "CSV with as many fields in each row as in the header".to_owned(),
    }
}
