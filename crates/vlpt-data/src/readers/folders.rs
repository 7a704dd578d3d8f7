//! Class folders and the images in them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::archive::Root;
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::sample::{ImageRef, Sample};

/// Deepest nesting of folders that is followed; more is a loop.
const MAX_DEPTH: usize = 64;

/// Names in one folder, sorted; hidden ones are left out.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) folders: Vec<String>,
    pub(super) files: Vec<String>,
}

/// Lists a folder without following anything into it.
///
/// # Errors
/// It cannot be listed, or holds a name that is not Unicode.
pub(super) fn list(folder: &Path) -> Result<Names> {
    let mut names = Names::default();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        let name = entry
            .file_name()
            .into_string()
            .map_err(|raw| LayoutError::BadEntry {
                file: folder.to_path_buf(),
                place: "file name".to_owned(),
                found: format!("{}", raw.display()),
                expected: "a name in UTF-8".to_owned(),
            })?;
        if name.starts_with('.') {
            continue;
        }
        let mut kind = entry.file_type()?;
        if kind.is_symlink() {
            match fs_err::metadata(entry.path()) {
                Ok(target) => kind = target.file_type(),
                Err(_) => continue, // a link to nothing
            }
        }
        if kind.is_dir() {
            names.folders.push(name);
        } else if kind.is_file() {
            names.files.push(name);
        }
    }
    names.folders.sort();
    names.files.sort();
    Ok(names)
}

/// Sub-folders of a folder, sorted, or none where it is no folder.
pub(super) fn folders_in(folder: &Path) -> Vec<String> {
    list(folder).map(|names| names.folders).unwrap_or_default()
}

/// Whether some image lies in the folder itself or anywhere below it.
pub(super) fn holds_images(folder: &Path, depth: usize) -> bool {
    let Ok(names) = list(folder) else {
        return false;
    };
    names.files.iter().any(|name| is_image(name))
        || (depth > 0
            && names
                .folders
                .iter()
                .any(|name| holds_images(&folder.join(name), depth - 1)))
}

/// Collects images below folders of one root, and counts what it passes over.
#[derive(Debug)]
pub(super) struct Walker {
    root: Arc<Root>,
    ignored: usize,
    first_ignored: Option<String>,
}

impl Walker {
    pub(super) fn new(root: &Arc<Root>) -> Self {
        Self {
            root: Arc::clone(root),
            ignored: 0,
            first_ignored: None,
        }
    }

    /// Images in `folder` (relative to the root) and below it, in torchvision's order: folders
    /// sorted by their path, files sorted by name within each.
    ///
    /// # Errors
    /// A folder cannot be listed, a link leads out of the root or back to a folder above itself.
    pub(super) fn images(&mut self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut open = vec![(folder.to_owned(), vec![self.root.check_links(folder)?])];
        while let Some((folder, chain)) = open.pop() {
            let place = self.root.join(&folder);
            let names = list(&place)?;
            let mut images = Vec::new();
            for name in names.files {
                let path = format!("{folder}/{name}");
                if is_image(&name) {
                    if fs_err::symlink_metadata(place.join(&name))?.is_symlink() {
                        self.root.check_links(&path)?;
                    }
                    images.push(path);
                } else {
                    self.ignored += 1;
                    self.first_ignored.get_or_insert(path);
                }
            }
            for name in names.folders {
                let path = format!("{folder}/{name}");
                let real = self.root.check_links(&path)?;
                if chain.contains(&real) || chain.len() > MAX_DEPTH {
                    return Err(LayoutError::BadEntry {
                        file: self.root.join(&path),
                        place: "link".to_owned(),
                        found: "a folder that holds itself".to_owned(),
                        expected: "folders without loops".to_owned(),
                    }
                    .into());
                }
                let mut chain = chain.clone();
                chain.push(real);
                open.push((path, chain));
            }
            found.push((folder, images));
        }
        found.sort();
        Ok(found.into_iter().flat_map(|(_, images)| images).collect())
    }

    /// What was passed over, for the notes of the task.
    pub(super) fn notes(&self) -> Vec<String> {
        let first = self.first_ignored.iter();
        first
            .map(|path| {
                format!(
                    "{} files that are not images were passed over, such as `{path}`",
                    self.ignored
                )
            })
            .collect()
    }

    /// A sample of a file of this walker's root.
    pub(super) fn sample(&self, path: &str, label: u32) -> Sample {
        file_sample(&self.root, path, vec![label])
    }
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

/// The name of a folder or file as a name for a task.
pub(super) fn base_name(path: &Path) -> String {
    let real = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
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
