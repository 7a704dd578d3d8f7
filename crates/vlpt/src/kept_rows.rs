//! Rows of numbers on their way to a file, one for each image. They are kept beside it, so that memory does not grow
//! with their number and an interrupted command goes on where it was.

use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err::File;
use serde::Serialize;
use serde::de::DeserializeOwned;
use vlpt_base::files::{read_if_there, remove_if_there, write_atomic};
use vlpt_base::hash::fingerprint;

use crate::error::CliError;
use crate::output;

/// The row of an image that has none: what is kept is never NaN.
pub(crate) fn no_row(width: usize) -> Vec<f32> {
    vec![f32::NAN; width]
}

/// Whether bytes are such a row.
pub(crate) fn is_no_row(bytes: &[u8]) -> bool {
    numbers(bytes).all(f32::is_nan)
}

/// The numbers of a row.
pub(crate) fn numbers(bytes: &[u8]) -> impl Iterator<Item = f32> + '_ {
    bytes
        .chunks_exact(size_of::<f32>())
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// The rows so far: `OUT.part`, little-endian f32, and `OUT.part.json`, what they are made of:
/// rows of an earlier command are taken only where all of it is equal.
#[derive(Debug)]
pub(crate) struct KeptRows {
    path: PathBuf,
    origin: PathBuf,
    file: File,
    count: usize,
}

impl KeptRows {
    /// Opens the rows beside `out`: those of an interrupted command of the same `origin`, cut to a multiple of
    /// `batch` rows of `width` numbers; else none. Of more rows than there are images all are made again: the
    /// file is damaged.
    ///
    /// # Errors
    /// The files cannot be read or written.
    pub(crate) fn open<O: Serialize + DeserializeOwned + PartialEq>(
        out: &Path,
        origin: &O,
        width: usize,
        (images, batch): (usize, usize),
    ) -> Result<Self, CliError> {
        let path = beside(out, ".part");
        let origin_path = beside(out, ".part.json");
        let stored = read_if_there(&origin_path)?;
        let stored: Option<O> = stored.and_then(|text| serde_json::from_slice(&text).ok());
        let goes_on = stored.as_ref() == Some(origin);
        let mut file: File = fs_err::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(!goes_on)
            .open(&path)?;
        if !goes_on {
            let text = serde_json::to_vec(origin).map_err(|e| CliError::failure(e.to_string()))?;
            write_atomic(&origin_path, &text)?;
        }
        let row = (width * size_of::<f32>()).max(1);
        let rows = file.metadata()?.len() as usize / row;
        let count = if rows > images {
            0
        } else {
            rows / batch * batch
        };
        file.set_len((count * row) as u64)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Self {
            path,
            origin: origin_path,
            file,
            count,
        })
    }

    /// Number of rows.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Which of the rows that are there stand for images that are left out, of `width` numbers a row.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn left_out(&mut self, width: usize) -> Result<Vec<usize>, CliError> {
        let mut found = Vec::new();
        let mut row = vec![0; width * size_of::<f32>()];
        self.file.seek(SeekFrom::Start(0))?;
        for place in 0..self.count {
            self.file.read_exact(&mut row)?;
            if is_no_row(&row) {
                found.push(place);
            }
        }
        self.file.seek(SeekFrom::End(0))?;
        Ok(found)
    }

    /// Appends a row.
    ///
    /// # Errors
    /// The disk is full: the rows before stay, so that the command goes on once there is space.
    pub(crate) fn push(&mut self, row: &[f32]) -> Result<(), CliError> {
        if let Err(error) = self.file.write_all(&output::bytes(row)) {
            self.drop_if_empty();
            return Err(error.into());
        }
        self.count += 1;
        Ok(())
    }

    /// Hands all rows, as bytes, to `write`, and removes them once they are written.
    ///
    /// # Errors
    /// Those of `write`; the rows then stay.
    pub(crate) fn finish(
        mut self,
        write: impl FnOnce(&mut dyn std::io::Read) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        self.file.seek(SeekFrom::Start(0))?;
        write(&mut self.file)?;
        Ok(self.remove()?)
    }

    /// Drops rows that nobody will go on with: none were made.
    pub(crate) fn drop_if_empty(&self) {
        if self.count == 0 {
            let _ = self.remove();
        }
    }

    /// Drops all rows.
    pub(crate) fn drop_all(&self) {
        let _ = self.remove();
    }

    /// Where they lie.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn remove(&self) -> std::io::Result<()> {
        remove_if_there(&self.path)?;
        remove_if_there(&self.origin)
    }
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name: OsString = out.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    out.with_file_name(name)
}

/// Hash over the files of a folder.
pub(crate) fn folder_hash(folder: &Path) -> Result<String, CliError> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut parts = Vec::new();
    for path in paths.into_iter().filter(|path| path.is_file()) {
        parts.push(fs_err::read(path)?);
    }
    Ok(fingerprint(parts))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn more_rows_than_images_are_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out.csv");
        let open = |images| KeptRows::open(&out, &"origin".to_owned(), 2, (images, 1)).unwrap();
        let mut rows = open(4);
        for _ in 0..3 {
            rows.push(&no_row(2)).unwrap();
        }
        assert_eq!(open(4).left_out(2).unwrap(), [0, 1, 2]);
        assert_eq!(open(2).count(), 0);
    }
}
