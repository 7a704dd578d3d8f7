//! Rows of a JSON Lines file: one object a line.

use std::io::{BufRead, BufReader};
use std::path::Path;

use serde_json::{Map, Value};

use super::rows::{Columns, Row, choose, split_labels};
use crate::error::{LayoutError, Result};
use crate::readers::options::OpenOptions;

fn bad(file: &Path, line: usize, found: String, expected: &str) -> LayoutError {
    let (place, expected) = (format!("line {line}"), expected.to_owned());
    LayoutError::BadEntry {
        file: file.to_path_buf(),
        place,
        found,
        expected,
    }
}

/// Lines that are not blank, with their numbers from 1.
fn lines(file: &Path) -> Result<impl Iterator<Item = Result<(usize, Map<String, Value>)>>> {
    let lines = BufReader::new(fs_err::File::open(file)?)
        .lines()
        .enumerate();
    let file = file.to_path_buf();
    Ok(lines.filter_map(move |(index, line)| {
        let line = match line {
            Ok(line) => line,
            Err(error) => return Some(Err(error.into())),
        };
        let line = line.trim_start_matches('\u{feff}').trim();
        if line.is_empty() {
            return None;
        }
        let object = serde_json::from_str(line);
        Some(object.map(|object| (index + 1, object)).map_err(|error| {
            bad(
                &file,
                index + 1,
                format!("no JSON object ({error})"),
                "one JSON object a line",
            )
            .into()
        }))
    }))
}

/// The keys that are read, from the first line.
///
/// # Errors
/// The file cannot be read, has no line, or the first lacks an image or label key.
pub(super) fn columns(file: &Path, options: &OpenOptions) -> Result<Columns> {
    let Some(first) = lines(file)?.next() else {
        return Err(LayoutError::Nothing {
            path: file.into(),
            what: "lines".into(),
        }
        .into());
    };
    let names: Vec<String> = first?.1.keys().cloned().collect();
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
/// The file cannot be read, or a line is no object with a path and a label.
pub(super) fn read(file: &Path, options: &OpenOptions) -> Result<Vec<Row>> {
    let columns = columns(file, options)?;
    let mut rows = Vec::new();
    for line in lines(file)? {
        let (number, object) = line?;
        let told = |key: &str| {
            object
                .get(key)
                .map_or("nothing".to_owned(), Value::to_string)
        };
        let path = object
            .get(&columns.image)
            .and_then(Value::as_str)
            .filter(|path| !path.is_empty());
        let path = path.ok_or_else(|| {
            bad(
                file,
                number,
                format!("`{}`: {}", columns.image, told(&columns.image)),
                "a path",
            )
        })?;
        let value = object.get(&columns.label).unwrap_or(&Value::Null);
        let labels = labels(&columns.label, value).ok_or_else(|| {
            let found = format!("`{}`: {}", columns.label, told(&columns.label));
            bad(file, number, found, "a label, or a list of labels")
        })?;
        let split = match object
            .get("split")
            .or_else(|| columns.split.as_ref().and_then(|key| object.get(key)))
        {
            None | Some(Value::Null) => None,
            Some(Value::String(split)) => Some(split.clone()),
            Some(other) => {
                return Err(bad(file, number, format!("`split`: {other}"), "a string").into());
            }
        };
        rows.push(Row {
            place: format!("line {number}"),
            path: path.to_owned(),
            labels,
            split,
        });
    }
    Ok(rows)
}

fn labels(key: &str, value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(split_labels(key, text)),
        Value::String(_) if key.eq_ignore_ascii_case("labels") => Some(Vec::new()),
        Value::Number(number) if number.is_u64() => Some(vec![number.to_string()]),
        Value::Array(list) => {
            let one = |value: &Value| match value {
                Value::String(text) if !text.is_empty() => Some(text.clone()),
                Value::Number(number) if number.is_u64() => Some(number.to_string()),
                _ => None,
            };
            list.iter().map(one).collect()
        }
        _ => None,
    }
}
