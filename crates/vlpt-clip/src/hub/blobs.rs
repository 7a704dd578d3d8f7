//! Where the bytes of files lie, and the links of a commit's folder to them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::cache::{Locked, Repo};
use super::checksum::Checksum;
use crate::error::Result;

/// How often a lock that another program holds is tried.
const TRY: Duration = Duration::from_millis(200);

/// Links made by this program so far.
static LINKS: AtomicU64 = AtomicU64::new(0);

impl Repo {
    /// The bytes of that name.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder().join("blobs").join(etag)
    }

    /// The same while they are coming; `huggingface_hub` takes it up as well.
    pub(super) fn partial(&self, etag: &str) -> PathBuf {
        self.folder()
            .join("blobs")
            .join(format!("{etag}.incomplete"))
    }

    /// Whether the commit's folder has the file as it should be: as its name in the cache says, or
    /// `said` by the hub. One that differs is removed.
    ///
    /// # Errors
    /// When it cannot be read or removed.
    pub(super) fn has_sound(
        &self,
        commit: &str,
        file: &str,
        said: Option<&Checksum>,
    ) -> Result<bool> {
        let place = self.snapshot_of(commit).join(file);
        let Ok(bytes) = fs_err::canonicalize(&place) else {
            return Ok(false);
        };
        let name = bytes.file_name().and_then(|name| name.to_str());
        let sum = name.and_then(Checksum::of).or_else(|| said.cloned());
        let Some(sum) = sum else { return Ok(true) };
        if sum.differs_from_file(&bytes)?.is_none() {
            return Ok(true);
        }
        fs_err::remove_file(&place)?;
        if bytes.parent()
            == fs_err::canonicalize(self.folder().join("blobs"))
                .ok()
                .as_deref()
        {
            fs_err::remove_file(&bytes).ok();
        }
        Ok(false)
    }

    /// Whether bytes of that name are there and right; wrong ones are removed.
    ///
    /// # Errors
    /// When they cannot be read or removed.
    pub(super) fn sound_blob(
        &self,
        blob: &Path,
        size: u64,
        checksum: Option<&Checksum>,
    ) -> Result<bool> {
        let Ok(found) = fs_err::metadata(blob) else {
            return Ok(false);
        };
        let right = found.len() == size
            && match checksum {
                Some(sum) => sum.differs_from_file(blob)?.is_none(),
                None => true,
            };
        if !right {
            fs_err::remove_file(blob)?;
        }
        Ok(right)
    }

    /// Puts a link to the bytes into the commit's folder; a copy where there are no links.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn link(&self, commit: &str, file: &str, etag: &str) -> Result<()> {
        let place = self.snapshot_of(commit).join(file);
        // a name of its own for each writer: other programs and threads may link the same file
        let number = LINKS.fetch_add(1, Ordering::Relaxed);
        let beside = self
            .snapshot_of(commit)
            .join(format!(".{file}.{}.{number}", std::process::id()));
        fs_err::remove_file(&beside).ok();
        // from the commit's folder; a file's name has no folder in it
        let relative: PathBuf = ["..", "..", "blobs", etag].iter().collect();
        #[cfg(unix)]
        let linked = fs_err::os::unix::fs::symlink(relative, &beside).is_ok();
        #[cfg(windows)]
        let linked = std::os::windows::fs::symlink_file(relative, &beside).is_ok();
        #[cfg(not(any(unix, windows)))]
        let linked = false;
        if !linked {
            fs_err::copy(self.blob(etag), &beside)?;
        }
        fs_err::rename(&beside, &place)?;
        Ok(())
    }

    /// Keeps other programs from writing the same bytes: `huggingface_hub` locks the same file. While
    /// another holds it, waits as long as what comes there grows within `patience`.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub(super) fn lock(&self, etag: &str, patience: Duration) -> io::Result<Locked> {
        fs_err::create_dir_all(self.folder().join("blobs"))?;
        let folder = self.root.join(".locks").join(self.folder_name());
        fs_err::create_dir_all(&folder)?;
        let path = folder.join(format!("{etag}.lock"));
        let file = fs_err::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?
            .into_parts()
            .0;
        let partial = self.partial(etag);
        let come = || fs_err::metadata(&partial).map_or(0, |data| data.len());
        let (mut since, mut seen) = (Instant::now(), come());
        loop {
            match file.try_lock() {
                Err(std::fs::TryLockError::WouldBlock) => {}
                // also on a file system without locks: the rename at the end keeps files whole
                Ok(()) | Err(std::fs::TryLockError::Error(_)) => return Ok(Locked::Here(file)),
            }
            let now = come();
            if now != seen {
                (since, seen) = (Instant::now(), now);
            } else if since.elapsed() >= patience {
                return Ok(Locked::Elsewhere);
            }
            std::thread::sleep(TRY);
        }
    }
}
