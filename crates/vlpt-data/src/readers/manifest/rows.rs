//! What a row of a manifest says.

use super::names::is_missing;
use crate::label_separator::LabelSeparator;

/// One image of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Such as `line 3`.
    pub(super) place: String,
    /// The image as it is written.
    pub(super) path: String,
    pub(super) labels: Vec<String>,
    /// What stands in the place of a label where it says that there is none.
    pub(super) missing: Option<String>,
    pub(super) split: Option<String>,
}

/// The rows of one file.
#[derive(Debug, Default)]
pub(super) struct Listed {
    pub(super) rows: Vec<Row>,
    /// Classes in their order, where the table has a column for each.
    pub(super) classes: Option<Vec<String>>,
    pub(super) notes: Vec<String>,
}

/// The labels of a text: one, or several apart by a separator; and the text itself where it says
/// that there is no label. Between separators nothing means no label of any class.
pub(super) fn labels(cell: &str, many: Option<LabelSeparator>) -> (Vec<String>, Option<String>) {
    let cell = cell.trim();
    match many {
        Some(_) if cell.is_empty() => (Vec::new(), None),
        _ if is_missing(cell) => (Vec::new(), Some(cell.to_owned())),
        Some(separator) => (separator.split(cell).map(str::to_owned).collect(), None),
        None => (vec![cell.to_owned()], None),
    }
}

/// Signs that stand between labels in many tables.
const SUSPECTS: [char; 2] = ['|', ';'];

/// A note on labels that look like several.
pub(super) fn note_joined(rows: &[Row]) -> Option<String> {
    for sign in SUSPECTS {
        let mut joined = rows
            .iter()
            .filter_map(|row| Some((row, row.labels.iter().find(|label| label.contains(sign))?)));
        if let Some((row, label)) = joined.next() {
            let name = LabelSeparator::name_of(sign);
            return Some(format!(
                "{} labels hold `{sign}`, such as `{label}` ({}), and are read as one class each: `--label-separator {name}` reads several labels",
                1 + joined.count(),
                row.place
            ));
        }
    }
    None
}

/// A note on rows without a label, which are left out.
pub(super) fn note_missing(
    rows: &[Row],
    file: &str,
    left_out: impl Fn(&Row) -> bool,
) -> Option<String> {
    let mut missing = rows.iter().filter(|row| left_out(row));
    let first = missing.next()?;
    Some(format!(
        "{} of {} rows of {file} have no label and were left out, such as `{}` with `{}` ({})",
        1 + missing.count(),
        rows.len(),
        first.path,
        first.missing.as_deref().unwrap_or_default(),
        first.place
    ))
}
