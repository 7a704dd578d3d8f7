//! What a row of a manifest says, and the names of columns it may use.

use crate::readers::options::OpenOptions;

pub(super) const IMAGE: [&str; 6] = ["path", "image", "file", "file_name", "filename", "filepath"];
pub(super) const LABEL: [&str; 3] = ["label", "class", "labels"];
pub(super) const SPLIT: &str = "split";

/// Between the labels of one image in a column called `labels`.
const SEPARATOR: char = ';';

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// Such as `line 3`.
    pub(super) place: String,
    pub(super) path: String,
    pub(super) labels: Vec<String>,
    pub(super) split: Option<String>,
}

/// Names of the columns that are read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub(super) image: String,
    pub(super) label: String,
    pub(super) split: Option<String>,
}

/// Chooses among the names that are there; the first of the known names wins, whatever its case.
///
/// # Errors
/// What is lacking, in words.
pub(super) fn choose(names: &[String], options: &OpenOptions) -> Result<Columns, String> {
    let find = |wanted: &str| {
        names
            .iter()
            .find(|name| name.trim().eq_ignore_ascii_case(wanted))
    };
    let pick = |named: &Option<String>, usual: &[&str], what: &str| match named {
        Some(name) => names
            .iter()
            .find(|n| *n == name)
            .cloned()
            .ok_or_else(|| format!("no {what} column `{name}`")),
        None => usual
            .iter()
            .find_map(|name| find(name))
            .cloned()
            .ok_or_else(|| format!("no {what} column (one of {})", usual.join(", "))),
    };
    Ok(Columns {
        image: pick(&options.image_column, &IMAGE, "image")?,
        label: pick(&options.label_column, &LABEL, "label")?,
        split: find(SPLIT).cloned(),
    })
}

/// The labels of a text cell: one, or in a column called `labels` any number between semicolons.
pub(super) fn split_labels(column: &str, cell: &str) -> Vec<String> {
    let cell = cell.trim();
    if column.trim().eq_ignore_ascii_case("labels") {
        let parts = cell
            .split(SEPARATOR)
            .map(str::trim)
            .filter(|part| !part.is_empty());
        return parts.map(str::to_owned).collect();
    }
    vec![cell.to_owned()]
}
