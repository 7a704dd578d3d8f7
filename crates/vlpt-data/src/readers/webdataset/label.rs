//! The label of a sample, as it stands beside its image.

use std::fmt;

use serde_json::Value;

/// Keys of a JSON file that usually hold the label, in the order in which they are looked for.
const LABEL_KEYS: [&str; 12] = [
    "label",
    "labels",
    "cls",
    "class",
    "class_id",
    "class_index",
    "target",
    "category",
    "class_name",
    "class_label",
    "label_name",
    "classname",
];
/// Keys that usually hold the name of a label that is a number.
const NAME_KEYS: [&str; 6] = [
    "class_name",
    "class_label",
    "label_name",
    "classname",
    "category_name",
    "label_text",
];

/// One label: a number or a class name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Number(i64),
    Text(String),
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "`{number}`"),
            Self::Text(text) => write!(f, "`{text}`"),
        }
    }
}

/// What a sample says of its classes.
#[derive(Debug, Clone, Default)]
pub(super) struct Label {
    pub(super) cells: Vec<Cell>,
    /// Whether they stand in a list, so that there may be any number.
    pub(super) list: bool,
    /// The name of a label that is a number, where the sample says it.
    pub(super) name: Option<String>,
    /// Ending of the file that it stands in.
    pub(super) ending: String,
}

fn cell(text: &str) -> Cell {
    text.parse()
        .map_or_else(|_| Cell::Text(text.to_owned()), Cell::Number)
}

/// The label in a text file: a number, a class name, or several numbers.
pub(super) fn of_text(text: &str, ending: &str) -> Label {
    let text = text.trim();
    let pieces: Vec<&str> = text
        .split([' ', ',', ';', '\t', '\n'])
        .filter(|piece| !piece.is_empty())
        .collect();
    let list = pieces.len() > 1 && pieces.iter().all(|piece| piece.parse::<i64>().is_ok());
    let cells = if list {
        pieces.into_iter().map(cell).collect()
    } else {
        vec![cell(text)]
    };
    Label {
        cells,
        list,
        name: None,
        ending: ending.to_owned(),
    }
}

/// The label in a JSON object: under the key that is named (`a.b` for one inside another), or under
/// the first that usually holds it. `None` where there is none.
pub(super) fn of_json(json: &Value, named: Option<&str>) -> Option<Label> {
    let found = match named {
        Some(key) => json
            .get(key)
            .or_else(|| json.pointer(&format!("/{}", key.replace('.', "/"))))?,
        None => LABEL_KEYS.iter().find_map(|key| {
            let value = json.get(key)?;
            plain(value).or_else(|| value.as_array().map(|_| Cell::Number(0)))?;
            Some(value)
        })?,
    };
    let name = NAME_KEYS.iter().find_map(|key| json.get(key)?.as_str());
    let (cells, list) = match found {
        Value::Array(values) => (values.iter().map(plain).collect::<Option<Vec<_>>>()?, true),
        value => (vec![plain(value)?], false),
    };
    Some(Label {
        cells,
        list,
        name: name.map(str::to_owned),
        ending: "json".to_owned(),
    })
}

fn plain(value: &Value) -> Option<Cell> {
    match value {
        Value::Number(number) => number.as_i64().map(Cell::Number),
        Value::Bool(flag) => Some(Cell::Number(i64::from(*flag))),
        Value::String(text) => Some(cell(text.trim())),
        _ => None,
    }
}
