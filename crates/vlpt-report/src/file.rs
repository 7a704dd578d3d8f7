//! Files that are whole or absent.

use std::io::Write;
use std::path::Path;

use crate::error::{ReportError, Result};

/// Writes `text` to `path`: beside it first, synced, then renamed over it. After a kill or a power
/// cut the path holds the old file or the new one, never a part; a stray temporary file may stay.
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
    let named = |e: std::io::Error| {
        std::io::Error::new(e.kind(), format!("cannot write {}: {e}", path.display()))
    };
    let mut file = tempfile::Builder::new()
        .prefix(".report-")
        .tempfile_in(folder)
        .map_err(named)?;
    file.write_all(text.as_bytes()).map_err(named)?;
    readable(file.as_file()).map_err(named)?;
    file.as_file().sync_all().map_err(named)?;
    file.persist(path).map_err(|e| named(e.error))?;
    Ok(())
}

/// A temporary file is its owner's alone; a report is for all.
#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
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
