//! Repositories in the cache of the Hugging Face hub, whose snapshots are folders of links:
//! `datasets--<owner>--<name>/snapshots/<revision>/...` into `datasets--<owner>--<name>/blobs`.

use std::path::{Path, PathBuf};

/// The repository of a folder in a snapshot.
fn repository(real: &Path) -> Option<(&Path, &str)> {
    let snapshots = real
        .ancestors()
        .skip(1)
        .find(|folder| folder.file_name().is_some_and(|name| name == "snapshots"))?;
    let repository = snapshots.parent()?;
    let name = repository.file_name()?.to_str()?;
    name.contains("--").then_some((repository, name))
}

/// The folder of the files that a snapshot links to; `None` where `real` is in no snapshot.
pub(super) fn blobs_of(real: &Path) -> Option<PathBuf> {
    let (repository, _) = repository(real)?;
    // a link in the place of `blobs` would lead anywhere
    let blobs = fs_err::canonicalize(repository.join("blobs")).ok()?;
    blobs.starts_with(repository).then_some(blobs)
}

/// The name of the repository whose snapshot `real` is, without its owner.
pub(crate) fn snapshot_name(real: &Path) -> Option<String> {
    real.parent()
        .filter(|parent| parent.ends_with("snapshots"))?;
    let (_, name) = repository(real)?;
    Some(name.rsplit_once("--")?.1.to_owned())
}
