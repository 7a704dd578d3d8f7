//! Rows of features on their way to a file. They are kept beside it, so that memory does not grow with their
//! number and an interrupted command goes on where it was.

use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use fs_err::File;
use serde::{Deserialize, Serialize};
use vlpt_base::files::{read_if_there, remove_if_there, write_atomic};

use super::broken::is_no_row;
use crate::error::CliError;
use crate::output;

/// What the rows are made of: rows of an earlier command are taken only where all of it is equal.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    /// Fingerprint of the base model.
    pub(super) model: String,
    /// Number format of its towers.
    pub(super) precision: String,
    /// Hash of the prompt folder's files, where there is one.
    pub(super) prompt: Option<String>,
    /// Whether rows have length one.
    pub(super) normalised: bool,
    /// Hash over the images' names, sizes and times of change.
    pub(super) images: String,
    /// Whether rows may stand for images that are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) skips: bool,
}

/// The rows so far: `OUT.part`, little-endian f32, and `OUT.part.json`, their [`Origin`].
#[derive(Debug)]
pub(super) struct Rows {
    path: PathBuf,
    origin: PathBuf,
    file: File,
    count: usize,
}

impl Rows {
    /// Opens the rows beside `out`: those of an interrupted command of the same `origin`, cut to a multiple of
    /// `batch` rows of `width` numbers; else none.
    ///
    /// # Errors
    /// The files cannot be read or written.
    pub(super) fn open(
        out: &Path,
        origin: &Origin,
        width: usize,
        batch: usize,
    ) -> Result<Self, CliError> {
        let path = beside(out, ".part");
        let origin_path = beside(out, ".part.json");
        let stored = read_if_there(&origin_path)?;
        let stored: Option<Origin> = stored.and_then(|text| serde_json::from_slice(&text).ok());
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
        let row = width * size_of::<f32>();
        let count = file.metadata()?.len() as usize / row / batch * batch;
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
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Which of the rows that are there stand for images that are left out, of `width` numbers a row.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(super) fn left_out(&mut self, width: usize) -> Result<Vec<usize>, CliError> {
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
    pub(super) fn push(&mut self, row: &[f32]) -> Result<(), CliError> {
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
    pub(super) fn finish(
        mut self,
        write: impl FnOnce(&mut dyn std::io::Read) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        self.file.seek(SeekFrom::Start(0))?;
        write(&mut self.file)?;
        Ok(self.remove()?)
    }

    /// Drops rows that nobody will go on with: none were made.
    pub(super) fn drop_if_empty(&self) {
        if self.count == 0 {
            let _ = self.remove();
        }
    }

    /// Drops all rows.
    pub(super) fn drop_all(&self) {
        let _ = self.remove();
    }

    /// Where they lie.
    pub(super) fn path(&self) -> &Path {
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
