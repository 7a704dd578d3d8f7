//! One process works in a run folder, and only as long as it is still the folder that it was.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use fs_err as fs;

use crate::{Result, TrainError};

const LOCK: &str = "run.lock";

/// A run folder that this process alone works in, until this is dropped.
#[derive(Debug)]
pub(crate) struct RunLock {
    dir: PathBuf,
    file: File,
}

impl RunLock {
    /// Locks the run folder.
    ///
    /// # Errors
    /// [`TrainError::Locked`] while another process works there, or a folder that cannot be
    /// written.
    pub(crate) fn take(dir: &Path) -> Result<Self> {
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK))?;
        let (file, _) = file.into_parts();
        match file.try_lock() {
            Ok(()) => Ok(Self {
                dir: dir.to_owned(),
                file,
            }),
            Err(TryLockError::WouldBlock) => Err(TrainError::Locked {
                dir: dir.to_owned(),
            }),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    /// The run folder. For writing into it, see [`RunLock::held`].
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The run folder, if the path still leads to the one that was locked: asked before anything is
    /// written there.
    ///
    /// # Errors
    /// [`TrainError::FolderLost`] when it was removed or replaced.
    pub(crate) fn held(&self) -> Result<&Path> {
        match (
            identity(std::fs::metadata(self.dir.join(LOCK))),
            identity(self.file.metadata()),
        ) {
            (Some(found), Some(held)) if found == held => Ok(&self.dir),
            _ => Err(TrainError::FolderLost {
                dir: self.dir.clone(),
            }),
        }
    }
}

/// What a file is on its disk, whatever its name.
#[cfg(unix)]
fn identity(data: std::io::Result<std::fs::Metadata>) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    data.ok().map(|data| (data.dev(), data.ino()))
}

/// Elsewhere a file that is open can be neither removed nor replaced; that it is there is enough.
#[cfg(not(unix))]
fn identity(data: std::io::Result<std::fs::Metadata>) -> Option<()> {
    data.ok().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_until_it_is_removed_or_replaced() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("run");
        fs::create_dir(&dir).unwrap();
        let lock = RunLock::take(&dir).unwrap();
        assert_eq!(lock.held().unwrap(), dir);
        assert!(matches!(
            RunLock::take(&dir),
            Err(TrainError::Locked { .. })
        ));
        let lost = || matches!(lock.held(), Err(TrainError::FolderLost { .. }));
        fs::remove_dir_all(&dir).unwrap();
        assert!(lost());
        // another run in the same place
        fs::create_dir(&dir).unwrap();
        let other = RunLock::take(&dir).unwrap();
        assert!(lost());
        assert!(other.held().is_ok());
        // moved away: what is at the path is none of ours
        fs::rename(&dir, home.path().join("moved")).unwrap();
        assert!(other.held().is_err());
    }
}
