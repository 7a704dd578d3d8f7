//! A file that is written bit by bit and appears as a whole.

use std::io::{BufWriter, Result, Write};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::place::{self, Place};

/// A file that is written to `NAME.new` beside its place, and put there by [`AtomicFile::commit`];
/// dropped before that, it leaves nothing and the old content stays. For one writer at a time.
///
/// A device or pipe, such as `/dev/stdout`, is written to as it is; a link is followed.
#[derive(Debug)]
pub struct AtomicFile {
    place: PathBuf,
    /// Where it is written; none once it is in its place, or where there is nothing beside.
    beside: Option<PathBuf>,
    file: BufWriter<fs::File>,
}

impl AtomicFile {
    /// Begins the file for `path`.
    ///
    /// # Errors
    /// The folder cannot be written; the message names the path.
    pub fn create(path: &Path) -> Result<Self> {
        let (place, beside, file) = match place::place(path)? {
            Place::Stream(place) => {
                let file = fs::OpenOptions::new().write(true).open(&place)?;
                (place, None, file)
            }
            Place::File(place) => {
                let beside = place::beside(&place);
                let file = fs::File::create(&beside)?;
                (place, Some(beside), file)
            }
        };
        Ok(Self {
            place,
            beside,
            file: BufWriter::new(file),
        })
    }

    /// Puts the whole file in its place, on the disk.
    ///
    /// # Errors
    /// The disk is full, or a folder is in the way; nothing is left behind.
    pub fn commit(mut self) -> Result<()> {
        self.file.flush()?;
        let Some(beside) = &self.beside else {
            return Ok(());
        };
        self.file.get_ref().sync_all()?;
        fs::rename(beside, &self.place)?;
        self.beside = None;
        place::sync_parent(&self.place)
    }
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if let Some(beside) = &self.beside {
            let _ = fs::remove_file(beside);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        fs::write(&path, "old").unwrap();
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"new, ").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"old");
        file.write_all(b"whole").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new, whole");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let error = AtomicFile::create(&dir.path().join("absent/rows.csv")).unwrap_err();
        assert!(error.to_string().contains("absent"), "{error}");
        // A folder is in the way.
        let path = dir.path().join("folder");
        fs::create_dir(&path).unwrap();
        assert!(AtomicFile::create(&path).unwrap().commit().is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_not_replaced_and_a_link_is_followed() {
        use std::os::unix::fs::FileTypeExt;
        let mut file = AtomicFile::create(Path::new("/dev/null")).unwrap();
        file.write_all(b"gone").unwrap();
        file.commit().unwrap();
        assert!(
            fs::metadata("/dev/null")
                .unwrap()
                .file_type()
                .is_char_device()
        );
        let dir = tempfile::tempdir().unwrap();
        let (target, link) = (dir.path().join("target"), dir.path().join("link"));
        fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let mut file = AtomicFile::create(&link).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
