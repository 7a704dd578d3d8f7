//! Where a path that is written to leads, and what lies around it.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use fs_err as fs;

/// What a path to write to stands for.
pub(crate) enum Place {
    /// A regular file, which may not be there yet, with no link as its last part.
    File(PathBuf),
    /// Something that takes bytes and is not replaced.
    Stream(PathBuf),
}

/// More links than this, one leading to the next, are a loop.
const MOST_LINKS: usize = 40;

/// Follows the links at the end of a path.
///
/// # Errors
/// The links lead in a circle, or cannot be read.
pub(crate) fn place(path: &Path) -> Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let kind = match fs::symlink_metadata(&path) {
            Ok(found) => found.file_type(),
            // nothing there, or an error that the writing will meet too
            Err(_) => return Ok(Place::File(path)),
        };
        if !kind.is_symlink() {
            let whole = kind.is_file() || kind.is_dir();
            return Ok(if whole {
                Place::File(path)
            } else {
                Place::Stream(path)
            });
        }
        // what a process has open, such as /dev/stdout, may lead to a pipe without a path
        let target = fs::metadata(&path).map(|found| found.file_type());
        if target.is_ok_and(|kind| !kind.is_file() && !kind.is_dir()) {
            return Ok(Place::Stream(path));
        }
        path = parent(&path).join(fs::read_link(&path)?);
    }
    let what = format!("{}: links that lead in a circle", path.display());
    Err(Error::new(ErrorKind::InvalidInput, what))
}

/// `NAME.new` in the same folder.
pub(crate) fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// The folder that a path is in.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    sync_folder(parent(path))
}

#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> Result<()> {
    fs::File::open(path)?.sync_all()
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "a folder cannot be opened as a file there"
)]
pub(crate) fn sync_folder(_path: &Path) -> Result<()> {
    Ok(())
}
