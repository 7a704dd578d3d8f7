//! A folder for one input, in memory where the system has such a place.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder that goes away with its value.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    pub(crate) fn new() -> Self {
        let memory = Path::new("/dev/shm");
        let made = if memory.is_dir() {
            tempfile::Builder::new()
                .prefix("vlpt-fuzz-")
                .tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self(made.expect("a test needs a folder to write to"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, and the folders that it lies in.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).expect("a test needs a folder to write to");
        }
        fs::write(&path, bytes).expect("a test needs a file to write to");
        path
    }
}
