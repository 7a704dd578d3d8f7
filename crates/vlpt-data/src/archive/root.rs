//! A folder that no path may leave.

use std::path::PathBuf;

use crate::error::Result;

/// A folder that a task was read from.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// The bytes of a file below the root.
    ///
    /// # Errors
    /// The file cannot be read, or lies outside the root.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        Ok(fs_err::read(self.path.join(path))?)
    }
}
