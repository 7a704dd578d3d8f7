//! The cache's folders, as `huggingface_hub` lays them out.

use std::path::{Path, PathBuf};

use super::checksum::Checksum;
use crate::error::Result;
use crate::files::ModelFiles;
use crate::formats;

/// A repository's place in the cache.
pub(super) struct Repo {
    /// The folder of all repositories.
    pub(super) root: PathBuf,
    pub(super) id: String,
    pub(super) revision: String,
}

impl Repo {
    pub(super) fn new(root: &Path, id: &str, revision: &str) -> Self {
        // a path from the root makes the links of the snapshots right
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self {
            root,
            id: id.to_owned(),
            revision: revision.to_owned(),
        }
    }

    /// `models--org--name`.
    pub(super) fn folder_name(&self) -> String {
        format!("models--{}", self.id.replace('/', "--"))
    }

    /// The repository's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.root.join(self.folder_name())
    }

    /// The folder of a commit's files.
    pub(super) fn snapshot_of(&self, commit: &str) -> PathBuf {
        self.folder().join("snapshots").join(commit)
    }

    /// The commit that the revision meant when it was fetched last.
    fn commit(&self) -> Option<String> {
        let named = fs_err::read_to_string(self.folder().join("refs").join(&self.revision)).ok();
        named
            .map(|commit| commit.trim().to_owned())
            .filter(|commit| plain_name(commit))
            .or_else(|| Some(self.revision.clone()).filter(|commit| plain_name(commit)))
    }

    /// The files of the revision. Optional files may be missing with `any`; small files are
    /// compared with the hashes that name them, weights only when `thorough`.
    ///
    /// # Errors
    /// When a file of the cache cannot be read.
    pub(super) fn snapshot(&self, any: bool, thorough: bool) -> Result<Snapshot> {
        let Some(commit) = self.commit() else {
            return Ok(Snapshot::Missing);
        };
        let folder = self.snapshot_of(&commit);
        let Ok(files) = ModelFiles::folder(self.id.clone(), &folder) else {
            return Ok(Snapshot::Missing);
        };
        // before anything is read from them
        for file in formats::SMALL_FILES
            .into_iter()
            .filter(|file| files.has(file))
        {
            if let Some(what) = self.damage(&folder.join(file))? {
                return Ok(Snapshot::Damaged(format!("{file}: {what}")));
            }
        }
        let weights = formats::weight_file(&files).and_then(|weights| {
            let mut all = vec![weights];
            if all[0].ends_with(".index.json") {
                all.extend(formats::shards(&files, &all[0])?);
            }
            Ok(all)
        });
        let Ok(weights) = weights else {
            return Ok(Snapshot::Missing);
        };
        for file in weights.iter().filter(|_| thorough) {
            if let Some(what) = self.damage(&folder.join(file))? {
                return Ok(Snapshot::Damaged(format!("{file}: {what}")));
            }
        }
        let known = |file: &str| files.has(file) || self.absent(&commit, file).exists();
        if any || formats::SMALL_FILES.iter().all(|file| known(file)) {
            Ok(Snapshot::Whole(folder))
        } else {
            Ok(Snapshot::Missing)
        }
    }

    /// How a file differs from the hash that names its bytes in the cache; `None` where it does
    /// not, or nothing tells.
    fn damage(&self, file: &Path) -> Result<Option<String>> {
        let bytes = fs_err::canonicalize(file)?;
        let name = bytes.file_name().and_then(|name| name.to_str());
        match name.and_then(Checksum::of) {
            Some(sum) => sum.differs_from_file(&bytes),
            None => Ok(None),
        }
    }

    /// The mark of a file that the commit does not have.
    fn absent(&self, commit: &str, file: &str) -> PathBuf {
        self.folder().join(".no_exist").join(commit).join(file)
    }

    /// Remembers that the commit has no such file.
    #[cfg(feature = "hub")]
    pub(super) fn mark_absent(&self, commit: &str, file: &str) -> Result<()> {
        let mark = self.absent(commit, file);
        if let Some(folder) = mark.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::write(mark, "")?;
        Ok(())
    }

    /// Remembers which commit the revision means.
    #[cfg(feature = "hub")]
    pub(super) fn point(&self, commit: &str) -> Result<()> {
        let refs = self.folder().join("refs");
        let place = refs.join(&self.revision);
        if let Some(folder) = place.parent() {
            fs_err::create_dir_all(folder)?;
        }
        vlpt_base::files::write_atomic_shared(&place, commit.as_bytes())?;
        // downloading by commit leaves a reference of that name
        if commit != self.revision {
            fs_err::remove_file(refs.join(commit)).ok();
        }
        Ok(())
    }
}

/// Who writes the bytes of a file.
#[cfg(feature = "hub")]
pub(super) enum Locked {
    /// This program, for as long as this lives.
    Here(std::fs::File),
    /// Another one, which makes no progress.
    Elsewhere,
}

/// What the cache has of a revision.
pub(super) enum Snapshot {
    /// A folder with all that loading needs.
    Whole(PathBuf),
    /// Something is not there.
    Missing,
    /// A file is not what its name in the cache says; this says which and how.
    Damaged(String),
}

/// One ordinary part of a path.
pub(super) fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
