//! A file that many threads read at once, each at its own place.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use crate::memory::make_room;

/// Largest member of an archive that is read, in bytes. An encoded image is far smaller; a member
/// that claims more is an attack or not an image.
pub const MAX_MEMBER_BYTES: u64 = 1 << 30;
/// Most rows of one table, and values of one column in a part of it. Each takes some hundred bytes
/// while labels are read, and a hole in a file can claim any number of them.
#[cfg(feature = "parquet")]
pub(crate) const MOST_ROWS: usize = 1 << 24;

/// An open file with a place of its own: clones share the handle and not the place, because every
/// read names its offset.
#[derive(Debug, Clone)]
pub(crate) struct FileAt {
    file: Arc<fs_err::File>,
    place: u64,
    length: u64,
}

impl FileAt {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = fs_err::File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            file: Arc::new(file),
            place: 0,
            length,
        })
    }

    #[cfg(unix)]
    fn read_some_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use fs_err::os::unix::fs::FileExt;
        self.file.read_at(buffer, offset)
    }

    #[cfg(windows)]
    fn read_some_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        use fs_err::os::windows::fs::FileExt;
        self.file.seek_read(buffer, offset)
    }
}

impl FileAt {
    /// `length` bytes of an open file.
    #[cfg(feature = "webdataset")]
    pub(crate) fn of(file: Arc<fs_err::File>, length: u64) -> Self {
        let place = 0;
        Self {
            file,
            place,
            length,
        }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.file.path().to_path_buf()
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
    }

    /// The same file, read from `place` on.
    pub(crate) fn at(&self, place: u64) -> Self {
        Self {
            place,
            ..self.clone()
        }
    }

    /// `length` bytes from `offset`; the caller has checked `length` against something it trusts.
    ///
    /// # Errors
    /// The file ends before, or cannot be read, or there is no memory for so many bytes.
    pub(crate) fn bytes_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let end = offset
            .checked_add(length as u64)
            .filter(|&end| end <= self.length);
        if end.is_none() {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!(
                    "{}: wants {length} bytes at {offset}, but the file has {} bytes",
                    self.path().display(),
                    self.length
                ),
            ));
        }
        let mut bytes = Vec::new();
        make_room(&mut bytes, length).map_err(|what| {
            let what = format!("{}: at byte {offset}: {what}", self.path().display());
            io::Error::new(io::ErrorKind::OutOfMemory, what)
        })?;
        bytes.resize(length, 0);
        self.at(offset).read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl Read for FileAt {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.read_some_at(buffer, self.place)?;
        self.place += read as u64;
        Ok(read)
    }
}

impl Seek for FileAt {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.place.checked_add_signed(by),
        };
        self.place = place.ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "a seek to before the start of the file",
            )
        })?;
        Ok(self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_memory_can_hold_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vast");
        fs_err::write(&path, "x").unwrap();
        let mut file = FileAt::open(&path).unwrap();
        file.length = u64::MAX; // no file system here has such a file
        let error = file.bytes_at(7, isize::MAX as usize).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let told = error.to_string();
        let bytes = format!("no memory for {} bytes", isize::MAX);
        assert!(
            told.contains("vast: at byte 7: ") && told.contains(&bytes),
            "{told}"
        );
    }
}
