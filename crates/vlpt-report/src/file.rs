//! Reports as files.

use std::path::Path;

use vlpt_base::files::write_atomic;

use crate::error::{ReportError, Result};

/// Writes `text` to `path`, whole or not at all, as [`vlpt_base::files`] promises; folders on the
/// way are made.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    if path.file_name().is_none() {
        return Err(ReportError::NoFileName {
            path: path.display().to_string(),
        });
    }
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs_err::create_dir_all(folder)?;
    Ok(write_atomic(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("report.html");
        write(&path, "first, and longer").unwrap();
        write(&path, "second").unwrap();
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "second");
        assert_eq!(fs_err::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_path_without_a_file_name_is_refused() {
        let error = write(Path::new("/"), "text").unwrap_err();
        assert!(matches!(error, ReportError::NoFileName { .. }));
    }
}
