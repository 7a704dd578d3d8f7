//! The cache's folders, as `huggingface_hub` lays them out.

use std::path::{Path, PathBuf};

#[cfg(feature = "hub")]
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
    fn folder(&self) -> PathBuf {
        self.root
            .join(format!("models--{}", self.id.replace('/', "--")))
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

    /// The folder of the revision's files, when they are whole. With `any`, optional files
    /// may be missing.
    pub(super) fn snapshot(&self, any: bool) -> Option<PathBuf> {
        let commit = self.commit()?;
        let folder = self.snapshot_of(&commit);
        let files = ModelFiles::folder(self.id.clone(), &folder).ok()?;
        let whole = formats::weight_file(&files).and_then(|weights| {
            if weights.ends_with(".index.json") {
                formats::shards(&files, &weights)
            } else {
                Ok(Vec::new())
            }
        });
        whole.ok()?;
        let known = |file: &str| files.has(file) || self.absent(&commit, file).exists();
        (any || formats::SMALL_FILES.iter().all(|file| known(file))).then_some(folder)
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

    /// Remembers which commit the revision means. Written beside its place and renamed.
    #[cfg(feature = "hub")]
    pub(super) fn point(&self, commit: &str) -> Result<()> {
        let refs = self.folder().join("refs");
        let place = refs.join(&self.revision);
        if let Some(folder) = place.parent() {
            fs_err::create_dir_all(folder)?;
        }
        let beside = place.with_extension(format!("{}.tmp", std::process::id()));
        fs_err::write(&beside, commit)?;
        fs_err::rename(&beside, &place)?;
        // downloading by commit leaves a reference of that name
        if commit != self.revision {
            fs_err::remove_file(refs.join(commit)).ok();
        }
        Ok(())
    }
}

/// One ordinary part of a path.
pub(super) fn plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}
