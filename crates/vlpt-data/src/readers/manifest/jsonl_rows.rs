//! Listed of a JSON Lines file: one object a line.

use std::path::Path;

use serde_json::{Map, Value};

use super::columns::{Columns, Label, Seen, SplitColumn, choose};
use super::decode;
use super::names::{SPLIT, is_missing};
use super::rows::{Listed, Row};
use crate::error::{LayoutError, Result};
use crate::label_separator::LabelSeparator;
use crate::readers::options::OpenOptions;
use crate::split_name::SplitName;

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
fn lines<'a>(
    file: &'a Path,
    text: &'a str,
) -> impl Iterator<Item = Result<(usize, Map<String, Value>)>> + 'a {
    let numbered = (1..).zip(text.lines());
    let whole = numbered.filter(|(_, line)| !line.trim().is_empty());
    whole.map(|(number, line)| {
        serde_json::from_str(line.trim())
            .map(|object| (number, object))
            .map_err(|error| {
                let found = format!("no JSON object ({error})");
                bad(file, number, found, "one JSON object a line").into()
            })
    })
}

/// The keys that are read, from the first line, and the first images as they are written.
///
/// # Errors
/// The file cannot be read, has no line, or the first lacks an image or label key.
pub(super) fn columns(file: &Path, options: &OpenOptions) -> Result<(Columns, Vec<String>)> {
    let text = decode::head(file)?;
    let mut rows = lines(file, &text);
    let Some(first) = rows.next() else {
        return Err(LayoutError::Nothing {
            path: file.into(),
            what: "lines".into(),
        }
        .into());
    };
    let (_, first) = first?;
    let names: Vec<String> = first.keys().cloned().collect();
    let seen = Seen {
        names: &names,
        has_header: true,
        image_cell: None,
        binary: &|_| false,
    };
    let columns = choose(&seen, options).map_err(|what| LayoutError::ChooseColumn {
        file: file.to_path_buf(),
        what,
        columns: names.clone(),
    })?;
    let rest = rows
        .take(50)
        .map_while(Result::ok)
        .map(|(_, object)| object);
    let image =
        |object: Map<String, Value>| Some(object.get(&names[columns.image])?.as_str()?.to_owned());
    let images = std::iter::once(first).chain(rest).filter_map(image);
    let images = images.collect();
    Ok((columns, images))
}

/// Keys of the first line, and its values as text.
///
/// # Errors
/// The file cannot be read, or its first line is no object.
pub(super) fn first(file: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let text = decode::head(file)?;
    let first = lines(file, &text).next().transpose()?;
    let (_, object) = first.unwrap_or_default();
    let text = |value: &Value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    };
    Ok((
        object.keys().cloned().collect(),
        object.values().map(text).collect(),
    ))
}

/// All rows.
///
/// # Errors
/// The file cannot be read, or a line is no object with a path and a label.
pub(super) fn read(file: &Path, options: &OpenOptions) -> Result<Listed> {
    let text = decode::text(file)?;
    let names: Vec<String> = match lines(file, &text).next() {
        Some(first) => first?.1.keys().cloned().collect(),
        None => Vec::new(),
    };
    let (columns, _) = columns(file, options)?;
    let image_key = &names[columns.image];
    let (label_key, many) = match columns.label {
        Label::Column(place, many) => (&names[place], many),
        Label::OneHot(_) => return Ok(Listed::default()), // never chosen: no key is asked for bits
    };
    let mut rows = Vec::new();
    let mut texts = false;
    for line in lines(file, &text) {
        let (number, object) = line?;
        let told = |key: &str| {
            object
                .get(key)
                .map_or("nothing".to_owned(), Value::to_string)
        };
        let path = match object.get(image_key) {
            Some(Value::String(path)) if !path.is_empty() => path.clone(),
            Some(Value::Number(id)) if id.is_u64() => id.to_string(),
            _ => {
                let found = format!("`{image_key}`: {}", told(image_key));
                return Err(bad(file, number, found, "a path").into());
            }
        };
        let value = object.get(label_key).unwrap_or(&Value::Null);
        texts |= value.is_string();
        let (labels, missing) = labels(value, many).ok_or_else(|| {
            let found = format!("`{label_key}`: {}", told(label_key));
            bad(file, number, found, "a label, or a list of labels")
        })?;
        rows.push(Row {
            place: format!("line {number}"),
            path,
            labels,
            missing,
            split: split(file, number, &object, &names, columns.split)?,
        });
    }
    if let Some(sign) = options.label_separator.filter(|_| !texts) {
        return Err(LayoutError::ChooseColumn {
            file: file.to_path_buf(),
            what: format!(
                "--label-separator {sign} has no effect: no label of `{label_key}` is a text"
            ),
            columns: names,
        }
        .into());
    }
    let mut notes = columns.notes.clone();
    if let Some(SplitColumn::Perhaps(place)) = columns.split {
        let is_split = |row: &Row| {
            row.split
                .as_deref()
                .is_some_and(|s| SplitName::from_name(s).is_some())
        };
        if !rows.iter().all(is_split) {
            notes.push(format!("the key `{}` is not read as a split", names[place]));
            for row in &mut rows {
                row.split = None;
            }
        }
    }
    Ok(Listed {
        rows,
        classes: None,
        notes,
    })
}

fn split(
    file: &Path,
    line: usize,
    object: &Map<String, Value>,
    names: &[String],
    column: Option<SplitColumn>,
) -> Result<Option<String>> {
    let of = |place: usize| object.get(&names[place]);
    let wrong = |value: &Value| bad(file, line, format!("`split`: {value}"), "a string");
    let (value, flag) = match column {
        Some(SplitColumn::Flag(place, flag)) => (of(place), Some(flag)),
        Some(SplitColumn::Named(place) | SplitColumn::Perhaps(place)) => (of(place), None),
        None => (object.get(SPLIT), None),
    };
    match (value, flag) {
        (None | Some(Value::Null), _) => Ok(None),
        (Some(Value::Bool(yes)), Some(flag)) => {
            Ok(Some(if *yes { flag.0 } else { flag.1 }.to_owned()))
        }
        (Some(Value::Number(bit)), Some(flag)) if bit.as_u64().is_some_and(|bit| bit < 2) => {
            Ok(Some(
                if bit.as_u64() == Some(1) {
                    flag.0
                } else {
                    flag.1
                }
                .to_owned(),
            ))
        }
        (Some(Value::String(split)), None) => Ok(Some(split.clone())),
        (Some(_), None) if matches!(column, Some(SplitColumn::Perhaps(_))) => Ok(None),
        (Some(other), _) => Err(wrong(other).into()),
    }
}

/// Labels, and what stands there where it says that there is none.
fn labels(value: &Value, many: Option<LabelSeparator>) -> Option<(Vec<String>, Option<String>)> {
    match value {
        Value::Null => Some((Vec::new(), Some("null".to_owned()))),
        Value::String(text) => Some(super::rows::labels(text, many)),
        Value::Number(number) if number.is_u64() => Some((vec![number.to_string()], None)),
        Value::Bool(yes) => Some((vec![yes.to_string()], None)),
        Value::Array(list) => {
            let one = |value: &Value| match value {
                Value::String(text) if !is_missing(text) => Some(text.clone()),
                Value::Number(number) if number.is_u64() => Some(number.to_string()),
                _ => None,
            };
            let labels: Option<Vec<String>> = list.iter().map(one).collect();
            Some((labels?, None))
        }
        _ => None,
    }
}
