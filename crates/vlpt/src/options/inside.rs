//! Refusals to write results where a data set would take them for a part of itself.

use std::path::{Path, PathBuf};

use vlpt_data::Task;
use vlpt_train::TrainError;

use crate::error::CliError;

/// Refuses to write a folder into a data set that would take it for a part of itself.
pub(crate) fn refuse_inside(task: &Task, out: &Path) -> Result<(), CliError> {
    match task.would_hold(out) {
        Some(why) => Err(TrainError::OutInData {
            dir: out.to_owned(),
            why,
        }
        .into()),
        None => Ok(()),
    }
}

/// Refuses to write a file of rows, which `flag` names, into the folder of a data set. Rows have an image and a label
/// each, as a manifest has, so the set would be read from them afterwards.
pub(crate) fn refuse_rows_inside(task: &Task, file: &Path, flag: &str) -> Result<(), CliError> {
    let root = fs_err::canonicalize(&task.provenance.root).ok();
    let Some(root) = root.filter(|root| root.is_dir()) else {
        return Ok(());
    };
    // a link lies in one folder and leads to another
    let places = [beside_its_neighbours(file), fs_err::canonicalize(file).ok()];
    let mut below = places
        .iter()
        .flatten()
        .filter_map(|place| place.strip_prefix(&root).ok());
    if below.all(hidden) {
        return Ok(());
    }
    Err(CliError::usage(
        format!(
            "{}: lies in the folder of the data set {}, which could be read from these rows afterwards",
            file.display(),
            task.provenance.root.display()
        ),
        format!("name a file outside the data set with {flag}"),
    ))
}

/// A path with the links of its folder resolved; none where there is no such folder.
fn beside_its_neighbours(file: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(file).ok()?;
    let folder = fs_err::canonicalize(absolute.parent()?).ok()?;
    Some(folder.join(absolute.file_name()?))
}

/// Whether a part of the path begins with a dot: what does is never read.
fn hidden(below: &Path) -> bool {
    below
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
}
