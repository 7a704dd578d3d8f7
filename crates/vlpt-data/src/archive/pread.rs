//! A file that many threads read at once, each at its own place.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{ChunkReader, Length};

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

    pub(crate) fn path(&self) -> PathBuf {
        self.file.path().to_path_buf()
    }

    pub(crate) fn len(&self) -> u64 {
        self.length
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

    /// `length` bytes from `offset`; the caller has checked `length` against something it trusts.
    ///
    /// # Errors
    /// The file ends before, or cannot be read.
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
        let mut bytes = vec![0; length];
        let mut reader = Self {
            place: offset,
            ..self.clone()
        };
        reader.read_exact(&mut bytes)?;
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

impl Length for FileAt {
    fn len(&self) -> u64 {
        self.length
    }
}

/// The reader that `parquet` has for files moves the one place that all handles share; this one
/// does not.
impl ChunkReader for FileAt {
    type T = io::BufReader<Self>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(io::BufReader::new(Self {
            place: start,
            ..self.clone()
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.bytes_at(start, length)
            .map(Bytes::from)
            .map_err(|error| ParquetError::EOF(error.to_string()))
    }
}
