//! Files that are whole or absent.

use std::io::Write;
use std::path::Path;

use crate::error::{ReportError, Result};

/// Writes `text` to `path`: beside it first, synced, then renamed over it. After a kill or a power
/// cut the path holds the old file or the new one, never a part; what is left of a killed write is
/// overwritten by the next one.
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
    // of one name, so that what a kill left behind is overwritten and taken by the next write
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    let part = folder.join(name);
    let mut file = std::fs::File::create(&part).map_err(named)?;
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all());
    let done = written.and_then(|()| std::fs::rename(&part, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    Ok(done.map_err(named)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new").join("report.html");
        write(&path, "first, and longer").unwrap();
        let killed = path.with_file_name(".report.html.part");
        fs_err::write(&killed, "left by a kill").unwrap();
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
