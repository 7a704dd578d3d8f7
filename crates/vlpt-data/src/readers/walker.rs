//! Collects images below folders of one root, and counts what it passes over.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::folders::{Names, below, file_sample, list};
use super::options::OpenOptions;
use crate::archive::Root;
use crate::broken::BrokenImages;
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::sample::Sample;
use crate::walk::MOST_LINKED;

/// Deepest nesting of folders that is followed; more is a loop.
const MAX_DEPTH: usize = 64;
/// Names that a note lists at most.
const SHOWN: usize = 6;

/// Collects images below folders of one root, and counts what it passes over.
#[derive(Debug)]
pub(super) struct Walker {
    root: Arc<Root>,
    ignored: usize,
    first_ignored: Option<String>,
    junk: usize,
    junk_names: BTreeSet<String>,
    /// What is done about names that are not Unicode.
    broken: BrokenImages,
    odd: usize,
    first_odd: Option<String>,
    /// Folders that were entered through links.
    linked: usize,
}

impl Walker {
    pub(super) fn new(root: &Arc<Root>) -> Self {
        Self {
            root: Arc::clone(root),
            ignored: 0,
            first_ignored: None,
            junk: 0,
            junk_names: BTreeSet::new(),
            broken: BrokenImages::Stop,
            odd: 0,
            first_odd: None,
            linked: 0,
        }
    }

    /// Leaves out names that are not Unicode where the options skip what is broken.
    pub(super) fn with_options(self, options: &OpenOptions) -> Self {
        let broken = options.broken;
        Self { broken, ..self }
    }

    /// Names in `folder` (relative to the root; empty: the root); junk is counted.
    ///
    /// # Errors
    /// It cannot be listed, or holds a name that is not Unicode and such are not left out.
    pub(super) fn list(&mut self, folder: &str) -> Result<Names> {
        let place = self.root.join(folder);
        let names = list(&place)?;
        match self.broken {
            BrokenImages::Stop => names.check(&place)?,
            BrokenImages::Skip => {
                self.odd += names.odd_folders.len() + names.odd_images.len();
                let first = names.odd_folders.iter().chain(&names.odd_images).next();
                if let (None, Some(first)) = (&self.first_odd, first) {
                    self.first_odd = Some(below(folder, &first.to_string_lossy()));
                }
            }
        }
        self.junk += names.junk.len();
        self.junk_names.extend(names.junk.iter().cloned());
        Ok(names)
    }

    /// Images in `folder` (relative to the root) and below it, in torchvision's order: folders
    /// sorted by their path, files sorted by name within each.
    ///
    /// # Errors
    /// A folder cannot be listed, a link leads out of the root or back to a folder above itself, or too
    /// many folders lie behind links.
    pub(super) fn images(&mut self, folder: &str) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut open = vec![(folder.to_owned(), vec![self.root.check_links(folder)?])];
        while let Some((folder, chain)) = open.pop() {
            let place = self.root.join(&folder);
            let names = self.list(&folder)?;
            let mut images = Vec::new();
            for name in names.files {
                let path = below(&folder, &name);
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
                let path = below(&folder, &name);
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
                let entry = fs_err::symlink_metadata(place.join(&name))?;
                self.linked += usize::from(entry.is_symlink());
                if self.linked > MOST_LINKED {
                    let path = self.root.join(&path);
                    return Err(LayoutError::TooManyLinks { path }.into());
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
        let ignored = self.first_ignored.iter().map(|path| {
            format!(
                "{} files that are not images were passed over, such as `{path}`",
                self.ignored
            )
        });
        let junk = (self.junk > 0).then(|| {
            let shown: Vec<String> = self
                .junk_names
                .iter()
                .take(SHOWN)
                .map(|name| format!("`{}`", name.trim_end()))
                .collect();
            format!(
                "{} files or folders that systems and tools leave behind were passed over: {}",
                self.junk,
                shown.join(", ")
            )
        });
        let odd = self.first_odd.iter().map(|path| {
            format!(
                "{} images or folders whose names are not UTF-8 were left out, such as `{path}`",
                self.odd
            )
        });
        ignored.chain(junk).chain(odd).collect()
    }

    /// A sample of a file of this walker's root.
    pub(super) fn sample(&self, path: &str, label: u32) -> Sample {
        file_sample(&self.root, path, vec![label])
    }
}
