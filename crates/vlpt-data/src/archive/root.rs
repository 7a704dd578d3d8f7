//! A folder that no path may leave.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::hub::blobs_of;
use crate::error::{LayoutError, Result};
use crate::image::{Limits, read_file};

/// A folder that a task was read from. Paths below it are written with `/`; one that is absolute,
/// climbs with `..`, or leads out through a link is refused by name.
#[derive(Debug)]
pub struct Root {
    path: PathBuf,
    real: PathBuf,
    /// Where links may lead besides: the files of the hub's repository that this is a snapshot of.
    blobs: Option<PathBuf>,
}

impl Root {
    /// The folder at `path`, which may itself be a link.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let real = fs_err::canonicalize(path)?;
        let blobs = blobs_of(&real);
        Ok(Arc::new(Self {
            path: path.to_path_buf(),
            real,
            blobs,
        }))
    }

    /// The folder as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where `path` lies; checked for `..` and the like, not for links.
    pub fn join(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// `path` in plain form: no `.`, no doubled `/`.
    ///
    /// # Errors
    /// The path is empty, absolute or climbs; `origin` says where it was written.
    pub fn plain(path: &str, origin: &str) -> Result<String> {
        let leaves = || LayoutError::LeavesRoot {
            origin: origin.to_owned(),
            path: path.to_owned(),
        };
        let drive = path.as_bytes().get(1) == Some(&b':') && cfg!(windows);
        if path.starts_with('/') || path.starts_with('\\') || drive || path.contains('\0') {
            return Err(leaves().into());
        }
        let mut parts = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => return Err(leaves().into()),
                part if cfg!(windows) && part.contains('\\') => return Err(leaves().into()),
                part => parts.push(part),
            }
        }
        if parts.is_empty() {
            return Err(leaves().into());
        }
        Ok(parts.join("/"))
    }

    /// Refuses a path whose links lead out of the root.
    ///
    /// # Errors
    /// It does, or does not exist.
    pub fn check_links(&self, path: &str) -> Result<PathBuf> {
        let real = fs_err::canonicalize(self.join(path))?;
        let blob = self
            .blobs
            .as_ref()
            .is_some_and(|blobs| real.starts_with(blobs));
        if real.starts_with(&self.real) || blob {
            return Ok(real);
        }
        let origin = self.path.display().to_string();
        Err(LayoutError::LinkLeavesRoot {
            origin,
            path: path.to_owned(),
            target: real,
        }
        .into())
    }

    /// The bytes of an image file below the root.
    ///
    /// # Errors
    /// The file cannot be read, is too large for an image, or lies outside the root.
    pub fn read(&self, path: &str) -> Result<Vec<u8>> {
        let file = self.check_links(&Self::plain(path, "the list of images")?)?;
        read_file(&file, path, &Limits::default())
    }
}

/// Tells which files exist with one listing a folder instead of one question a file.
#[derive(Debug)]
pub(crate) struct Listings {
    root: Arc<Root>,
    folders: HashMap<String, HashSet<String>>,
    /// By folder: names by what stands before their last dot; made when first asked for.
    stems: HashMap<String, HashMap<String, Vec<String>>>,
}

impl Listings {
    pub(crate) fn new(root: &Arc<Root>) -> Self {
        Self {
            root: Arc::clone(root),
            folders: HashMap::new(),
            stems: HashMap::new(),
        }
    }

    /// Sorted names of the files in a folder that are `stem` and an ending.
    ///
    /// # Errors
    /// The folder cannot be listed, or a link leads out of the root.
    pub(crate) fn with_ending(&mut self, folder: &str, stem: &str) -> Result<Vec<String>> {
        if !self.stems.contains_key(folder) {
            self.has(&format!("{folder}/-"))?; // lists the folder
            let mut stems: HashMap<String, Vec<String>> = HashMap::new();
            for name in self.folders.get(folder).into_iter().flatten() {
                if let Some((stem, _)) = name.rsplit_once('.') {
                    stems.entry(stem.to_owned()).or_default().push(name.clone());
                }
            }
            self.stems.insert(folder.to_owned(), stems);
        }
        let mut names = self.stems[folder].get(stem).cloned().unwrap_or_default();
        names.sort();
        Ok(names)
    }

    /// Whether a file of this plain path exists.
    ///
    /// # Errors
    /// A folder cannot be listed, or a link leads out of the root.
    pub(crate) fn has(&mut self, path: &str) -> Result<bool> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if !self.folders.contains_key(folder) {
            let names = self.list(folder)?;
            self.folders.insert(folder.to_owned(), names);
        }
        Ok(self.folders[folder].contains(name))
    }

    fn list(&self, folder: &str) -> Result<HashSet<String>> {
        let mut names = HashSet::new();
        let place = self.root.join(folder);
        if !place.is_dir() {
            return Ok(names);
        }
        if !folder.is_empty() {
            self.root.check_links(folder)?;
        }
        for entry in fs_err::read_dir(place)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type()?;
            if kind.is_symlink() {
                let path = if folder.is_empty() {
                    name.clone()
                } else {
                    format!("{folder}/{name}")
                };
                // a link to nothing is an absent file
                if !entry.path().exists() {
                    continue;
                }
                self.root.check_links(&path)?;
            } else if !kind.is_file() {
                continue;
            }
            names.insert(name);
        }
        Ok(names)
    }
}
