//! Repositories in the cache of the Hugging Face hub: `datasets--<owner>--<name>` with `blobs`,
//! `refs` and `snapshots`.

use std::path::{Path, PathBuf};

use super::folders::folders_in;
use crate::error::{LayoutError, Result};

/// A snapshot that was found in a repository.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) folder: PathBuf,
    /// Why this one, for the notes of the task.
    pub(super) note: String,
}

/// The snapshot of the repository at `path`: the one that `refs/main` names, or the only one. `None`
/// where this is no repository of the hub's cache.
///
/// # Errors
/// There are several snapshots and nothing says which one is meant, or none.
pub(super) fn snapshot(path: &Path) -> Result<Option<Snapshot>> {
    let snapshots = path.join("snapshots");
    if !snapshots.is_dir() || !(path.join("refs").is_dir() || path.join("blobs").is_dir()) {
        return Ok(None);
    }
    let revisions = folders_in(&snapshots);
    let main = fs_err::read_to_string(path.join("refs").join("main")).ok();
    let main = main.as_deref().map(str::trim);
    let (revision, why) = match (main, &revisions[..]) {
        (Some(main), all) if all.iter().any(|revision| revision == main) => {
            (main, "the one that refs/main names")
        }
        (_, [only]) => (&**only, "the only one"),
        (_, []) => {
            let (path, what) = (snapshots, "snapshots".to_owned());
            return Err(LayoutError::Nothing { path, what }.into());
        }
        _ => {
            return Err(LayoutError::BadEntry {
                file: snapshots,
                place: "snapshots".to_owned(),
                found: revisions.join(", "),
                expected: "one of them in refs/main, or to be opened itself".to_owned(),
            }
            .into());
        }
    };
    Ok(Some(Snapshot {
        folder: snapshots.join(revision),
        note: format!("opened the snapshot {revision}, {why}"),
    }))
}
