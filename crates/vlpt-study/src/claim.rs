//! Claims: two workers never do the same job.
//!
//! A claim is an exclusive lock of the operating system on an empty file. It ends with the process
//! that holds it, however that dies, so that a killed worker's job is free at once and no claim
//! grows stale. On a shared folder the lock is as good as the file system's: NFS version 4 and the
//! cluster file systems have locks between machines (Lustre needs the mount option `flock`). Where
//! they lack, a job may be done twice, and both give the same result.
//!
//! Some file systems count locks for each process and not for each open file, so claims of one
//! process are also kept in a list.

use std::collections::BTreeSet;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fs_err as fs;

use crate::Result;

static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A held claim; dropping it gives it back.
#[derive(Debug)]
pub struct Claim {
    _file: std::fs::File,
    entry: Entry,
}

/// The claim's entry in the list of this process.
#[derive(Debug)]
struct Entry(PathBuf);

impl Drop for Entry {
    fn drop(&mut self) {
        held().remove(&self.0);
    }
}

impl Claim {
    /// Takes the claim on a lock file, which is made if it is not there; `None` when somebody else
    /// holds it.
    ///
    /// # Errors
    /// The file cannot be made, or its file system has no locks.
    pub fn take(path: &Path) -> Result<Option<Self>> {
        // Looked up before the file is opened: where locks belong to a process, closing a second
        // handle would give the first one's lock away.
        let name = full_name(path)?;
        if !held().insert(name.clone()) {
            return Ok(None);
        }
        let entry = Entry(name);
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?
            .into_parts()
            .0;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file, entry })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(no_lock(path, &error)),
        }
    }

    /// The lock file.
    pub fn path(&self) -> &Path {
        &self.entry.0
    }
}

/// Whether somebody holds the claim on a lock file.
///
/// # Errors
/// The file cannot be read, or its file system has no locks.
pub fn is_taken(path: &Path) -> Result<bool> {
    if held().contains(&full_name(path)?) {
        return Ok(true);
    }
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    // A shared lock: two that look do not take each other for a worker.
    match file.file().try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(no_lock(path, &error)),
    }
}

/// The lock file's path, equal for every way to write it.
fn full_name(path: &Path) -> Result<PathBuf> {
    let folder = fs::canonicalize(path.parent().unwrap_or(Path::new(".")))?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn no_lock(path: &Path, error: &std::io::Error) -> crate::StudyError {
    std::io::Error::new(
        error.kind(),
        format!(
            "{}: cannot lock: {error}: put the study on a file system with locks",
            path.display()
        ),
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::SeqCst;

    #[test]
    fn a_claim_is_held_once_and_free_when_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        assert!(!is_taken(&path).unwrap(), "no file, no claim");
        let claim = Claim::take(&path).unwrap().expect("free");
        assert!(Claim::take(&path).unwrap().is_none());
        assert!(is_taken(&path).unwrap());
        drop(claim);
        assert!(!is_taken(&path).unwrap());
        let again = Claim::take(&path).unwrap();
        assert!(again.is_some());
        assert_eq!(
            fs::metadata(&path).unwrap().len(),
            0,
            "lock files are empty"
        );
    }

    #[test]
    fn a_claim_is_seen_under_another_name_of_the_folder() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let _claim = Claim::take(&dir.path().join("a.lock")).unwrap().unwrap();
        let detour = dir.path().join("sub").join("..").join("a.lock");
        assert!(Claim::take(&detour).unwrap().is_none());
    }

    #[test]
    fn many_threads_share_out_claims_without_doubles() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.lock");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let taken = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Some(claim) = Claim::take(&path).unwrap() {
                            assert_eq!(inside.fetch_add(1, SeqCst), 0, "two held it");
                            taken.fetch_add(1, SeqCst);
                            inside.fetch_sub(1, SeqCst);
                            drop(claim);
                        }
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
