//! Iris index files: one image a line, `zip@path label[,label...]`.

use std::path::Path;

use super::listed::Listed;
use crate::error::{LayoutError, Result};
use crate::readers::text::lines;

/// Whether the first line with text in it has a path, and labels or none after the last blank.
pub(super) fn looks_like(file: &Path) -> bool {
    let Ok(lines) = lines(file) else { return false };
    lines
        .iter()
        .find(|line| !line.trim().is_empty())
        .is_some_and(|line| {
            let parsed = parse(line);
            parsed.is_some_and(|(path, _)| path.contains('@') || path.contains('.'))
        })
}

/// Splits on the last blank, because paths may hold blanks; nothing after it, or no blank, means a
/// negative image.
fn parse(line: &str) -> Option<(&str, Vec<u32>)> {
    let (path, labels) = line.rsplit_once(' ').unwrap_or((line, ""));
    if labels.is_empty() {
        return Some((path, Vec::new()));
    }
    let labels: Option<Vec<u32>> = labels.split(',').map(|label| label.parse().ok()).collect();
    labels.map(|labels| (path, labels))
}

pub(super) fn read(file: &Path) -> Result<Vec<Listed>> {
    let mut listed = Vec::new();
    for (number, line) in lines(file)?.iter().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let place = format!("line {}", number + 1);
        let (path, labels) = parse(line).ok_or_else(|| LayoutError::BadEntry {
            file: file.to_path_buf(),
            place: place.clone(),
            found: format!("`{line}`"),
            expected: "`zip@path label[,label...]`, labels being numbers from 0".to_owned(),
        })?;
        let (zip, path) = match path.split_once('@') {
            Some((zip, path)) => (Some(zip.to_owned()), path.to_owned()),
            None => (None, path.to_owned()),
        };
        listed.push(Listed {
            place,
            zip,
            path,
            labels,
        });
    }
    Ok(listed)
}
