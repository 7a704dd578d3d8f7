//! Names in a folder: what counts, what is left over by systems and tools, what is no Unicode.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::{Root, snapshot_name};
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::junk::is_junk;
use crate::sample::{ImageRef, Sample};

/// Names in one folder, sorted; hidden ones are left out.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) folders: Vec<String>,
    pub(super) files: Vec<String>,
    /// What systems and tools leave behind.
    pub(super) junk: Vec<String>,
    /// Folders whose names are not Unicode.
    pub(super) odd_folders: Vec<OsString>,
    /// Images whose names are not Unicode.
    pub(super) odd_images: Vec<OsString>,
}

impl Names {
    /// Refuses names that are not Unicode, which no list and no result could hold.
    ///
    /// # Errors
    /// The first of them, with how many there are.
    pub(super) fn check(&self, folder: &Path) -> Result<()> {
        let count = self.odd_folders.len() + self.odd_images.len();
        match self.odd_folders.iter().chain(&self.odd_images).next() {
            Some(name) => Err(LayoutError::NotUnicode {
                path: folder.join(name),
                count,
            }
            .into()),
            None => Ok(()),
        }
    }
}

/// Lists a folder without following anything into it.
///
/// # Errors
/// It cannot be listed.
pub(super) fn list(folder: &Path) -> Result<Names> {
    let mut names = Names::default();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let shown = match &name {
            Ok(name) => name.clone(),
            Err(raw) => raw.to_string_lossy().into_owned(),
        };
        if is_junk(&shown) {
            names.junk.push(shown);
            continue;
        }
        if shown.starts_with('.') {
            continue;
        }
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            match fs_err::metadata(entry.path()) {
                Ok(target) => kind = target.file_type(),
                Err(_) => continue, // a link to nothing
            }
        }
        match name {
            Ok(name) if kind.is_dir() => names.folders.push(name),
            Ok(name) if kind.is_file() => names.files.push(name),
            Err(raw) if kind.is_dir() => names.odd_folders.push(raw),
            Err(raw) if kind.is_file() && is_image(&shown) => names.odd_images.push(raw),
            _ => {}
        }
    }
    names.folders.sort();
    names.files.sort();
    names.junk.sort();
    names.odd_folders.sort();
    names.odd_images.sort();
    Ok(names)
}

/// Sub-folders of a folder, sorted, or none where it is no folder.
pub(super) fn folders_in(folder: &Path) -> Vec<String> {
    list(folder).map(|names| names.folders).unwrap_or_default()
}

/// Whether some image lies in the folder itself or in folders of it, up to `depth` below.
pub(super) fn holds_images(folder: &Path, depth: usize) -> bool {
    holds(folder, depth, &mut BTreeMap::new())
}

/// The same, beside folders without images that were looked into, each so deep: links may lead to one on
/// any number of ways.
fn holds(folder: &Path, depth: usize, empty: &mut BTreeMap<PathBuf, usize>) -> bool {
    let Ok(names) = list(folder) else {
        return false;
    };
    if names.files.iter().any(|name| is_image(name)) || !names.odd_images.is_empty() {
        return true;
    }
    let odd = names.odd_folders.iter().map(PathBuf::from);
    let mut folders = names.folders.iter().map(PathBuf::from).chain(odd);
    depth > 0
        && folders.any(|name| {
            let Ok(real) = folder.join(name).canonicalize() else {
                return false;
            };
            if empty.get(&real).is_some_and(|before| *before >= depth) {
                return false;
            }
            empty.insert(real.clone(), depth);
            holds(&real, depth - 1, empty)
        })
}

/// A sample of a file below a root.
pub(super) fn file_sample(root: &Arc<Root>, path: &str, labels: Vec<u32>) -> Sample {
    Sample {
        image: ImageRef::File {
            root: Arc::clone(root),
            path: Arc::from(path),
        },
        labels,
    }
}

/// The error of a class folder without images.
pub(super) fn empty_class(root: &Root, folder: &str) -> LayoutError {
    LayoutError::EmptyClass {
        folder: root.join(folder),
    }
}

/// A path below a root, of a folder (empty: the root itself) and a name in it.
pub(super) fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// The name of a folder or file as a name for a task.
pub(super) fn base_name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    if let Some(name) = snapshot_name(&real) {
        return name;
    }
    // a file of the hub's cache is a link to one that is called after its hash
    let hashed = real
        .parent()
        .is_some_and(|parent| parent.ends_with("blobs"));
    let real = if hashed { path.to_path_buf() } else { real };
    let name = if real.is_file() {
        real.file_stem()
    } else {
        real.file_name()
    };
    name.map_or_else(
        || "data".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}
