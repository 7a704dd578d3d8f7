//! Where tars are unpacked that are compressed as a whole, and so cannot be read in place.
//!
//! All of a set go into one temporary file, which has no name and is gone with the process, however
//! it ends.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use flate2::read::MultiGzDecoder;

use super::file_at::FileAt;

/// The most bytes that the tars of one set may unpack to.
const MAX_UNPACKED_BYTES: u64 = 64 << 30;

/// One temporary file for the tars of a set; made when first needed.
#[derive(Debug)]
pub struct Spool {
    limit: u64,
    file: Mutex<Option<(Arc<fs_err::File>, u64)>>,
}

impl Default for Spool {
    fn default() -> Self {
        Self::with_limit(MAX_UNPACKED_BYTES)
    }
}

impl Spool {
    /// A spool for so many bytes at most.
    pub fn with_limit(limit: u64) -> Self {
        let file = Mutex::default();
        Self { limit, file }
    }

    /// Appends what a file of gzip unpacks to; gives its place and length.
    pub(super) fn unpack(&self, packed: &FileAt) -> Result<(u64, u64), String> {
        self.unpack_some(packed, u64::MAX)
    }

    /// As [`Spool::unpack`], but stops behind so many bytes.
    pub(super) fn unpack_some(&self, packed: &FileAt, most: u64) -> Result<(u64, u64), String> {
        // one after the other: the file grows at its end
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.is_none() {
            *file = Some((Arc::new(temporary().map_err(|e| e.to_string())?), 0));
        }
        let Some((file, end)) = &mut *file else {
            return Err("the temporary file is gone".to_owned());
        };
        let start = *end;
        let mut stream = MultiGzDecoder::new(BufReader::with_capacity(1 << 16, packed.clone()));
        let mut buffer = vec![0; 1 << 18];
        let mut out: &File = file.file();
        while *end - start < most {
            let read = match stream.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(format!("gzip: {error}")),
            };
            if *end + read as u64 > self.limit {
                return Err(format!(
                    "the set unpacks to more than {} bytes, the most that is unpacked from gzip: unpack its tars with `gunzip` first",
                    self.limit
                ));
            }
            out.write_all(&buffer[..read]).map_err(|e| {
                format!(
                    "{}: {e}; unpack the tar with `gunzip` first",
                    file.path().display()
                )
            })?;
            *end += read as u64;
        }
        Ok((start, *end - start))
    }

    /// The file as it is now.
    pub(super) fn file(&self) -> Result<FileAt, String> {
        let file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        match &*file {
            Some((file, length)) => Ok(FileAt::of(Arc::clone(file), *length)),
            None => Err("nothing was unpacked".to_owned()),
        }
    }
}

/// A temporary file in the cache folder, or where the system keeps such files.
fn temporary() -> io::Result<fs_err::File> {
    let cache = vlpt_base::cache::default_cache_dir();
    let made = cache.and_then(|folder: PathBuf| {
        fs_err::create_dir_all(&folder).ok()?;
        let file = tempfile::tempfile_in(&folder).ok()?;
        Some(fs_err::File::from_parts(
            file,
            folder.join("(temporary file)"),
        ))
    });
    if let Some(file) = made {
        return Ok(file);
    }
    let place = std::env::temp_dir().join("(temporary file)");
    Ok(fs_err::File::from_parts(tempfile::tempfile()?, place))
}
