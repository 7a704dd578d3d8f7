//! Where the bytes of rows go.

use std::io::{Result, Seek, SeekFrom, Write};
use std::path::Path;

use fs_err::File;
use vlpt_base::atomic_file::AtomicFile;

/// A file that appears once it is whole, or one that grows row by row.
pub(super) enum Target {
    Whole(AtomicFile),
    Growing(File),
}

impl Target {
    /// A file that appears as a whole.
    pub(super) fn whole(path: &Path) -> Result<Self> {
        Ok(Self::Whole(AtomicFile::create(path)?))
    }

    /// A file to append to, made where there is none; and how long it is. What was not ended by a line
    /// feed is ended now.
    pub(super) fn growing(path: &Path) -> Result<(Self, u64)> {
        use std::io::Read;
        let mut file = fs_err::OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut length = file.metadata()?.len();
        if length > 0 && file.metadata()?.is_file() {
            file.seek(SeekFrom::Start(length - 1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
                length += 1;
            }
        }
        Ok((Self::Growing(file), length))
    }

    /// All of it is on the disk, and in its place.
    pub(super) fn end(self) -> Result<()> {
        match self {
            Self::Whole(file) => file.commit(),
            Self::Growing(file) => file.sync_data(),
        }
    }

    /// The length of a file that grows, once what was written is on the disk.
    pub(super) fn length_on_disk(&self) -> Result<u64> {
        match self {
            Self::Whole(_) => Ok(0),
            Self::Growing(file) => {
                let about = file.metadata()?;
                if about.is_file() {
                    file.sync_data()?;
                }
                Ok(about.len())
            }
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        match self {
            Self::Whole(file) => file.write(bytes),
            Self::Growing(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> Result<()> {
        match self {
            Self::Whole(file) => file.flush(),
            Self::Growing(file) => file.flush(),
        }
    }
}
