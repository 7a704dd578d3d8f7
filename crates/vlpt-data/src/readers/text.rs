//! Small text files: class lists and the like.

use std::collections::BTreeMap;
use std::path::Path;

use crate::error::{LayoutError, Result};

/// Lines of a UTF-8 file without line ends and byte order mark.
///
/// # Errors
/// It cannot be read or is not UTF-8.
pub(super) fn lines(path: &Path) -> Result<Vec<String>> {
    let text = fs_err::read_to_string(path)?;
    Ok(text
        .trim_start_matches('\u{feff}')
        .lines()
        .map(str::to_owned)
        .collect())
}

/// One class name a line; blank lines are passed over, blanks at the ends are cut.
///
/// # Errors
/// The file cannot be read or holds no name.
pub(super) fn class_list(path: &Path) -> Result<Vec<String>> {
    let names: Vec<String> = lines(path)?
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect();
    if names.is_empty() {
        let (path, what) = (path.to_path_buf(), "class names".to_owned());
        return Err(LayoutError::Nothing { path, what }.into());
    }
    Ok(names)
}

/// Lines of `folder name of the class`, such as `n01440764 tench`, in file order.
///
/// # Errors
/// The file cannot be read, a line has no name, or a folder comes twice.
pub(super) fn folder_names(path: &Path) -> Result<Vec<(String, String)>> {
    let mut names = Vec::new();
    let mut lines_of: BTreeMap<String, usize> = BTreeMap::new();
    for (number, line) in lines(path)?.iter().enumerate() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let bad = |found: String, expected: &str| LayoutError::BadEntry {
            file: path.to_path_buf(),
            place: format!("line {}", number + 1),
            found,
            expected: expected.to_owned(),
        };
        let (folder, name) = line.split_once([' ', '\t']).ok_or_else(|| {
            bad(
                format!("`{line}`"),
                "a folder name, a blank and a class name",
            )
        })?;
        if let Some(before) = lines_of.insert(folder.to_owned(), number + 1) {
            let found = format!("`{folder}` again, after line {before}");
            return Err(bad(found, "each folder once").into());
        }
        names.push((folder.to_owned(), name.trim().to_owned()));
    }
    Ok(names)
}

/// Labels by class name; of equal names the first counts.
pub(super) fn labels_by_name(classes: &[String]) -> BTreeMap<String, u32> {
    let mut labels = BTreeMap::new();
    for (class, label) in classes.iter().zip(0..) {
        labels.entry(class.clone()).or_insert(label);
    }
    labels
}
