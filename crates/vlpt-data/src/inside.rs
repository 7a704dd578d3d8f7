//! Whether a new folder would become part of a data set.

use std::path::{Path, PathBuf};

use crate::format::Format;
use crate::split_name::SplitName;
use crate::task::Task;

impl Task {
    /// What a new folder at `path` would be to this set, where it would change how the set is read;
    /// none where it would not.
    pub fn would_hold(&self, path: &Path) -> Option<String> {
        let root = self.provenance.root.canonicalize().ok()?;
        if !root.is_dir() {
            return None;
        }
        let place = real(path)?;
        let below = place.strip_prefix(&root).ok()?;
        let mut parts = below
            .components()
            .map(|part| part.as_os_str().to_string_lossy());
        let shown = self.provenance.root.display();
        let Some(first) = parts.next() else {
            return Some(format!("is the folder of the data set {shown}"));
        };
        // what begins with a dot is never read
        if below
            .components()
            .any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
        {
            return None;
        }
        match self.provenance.format {
            Format::ClassFolders => Some(format!(
                "lies in the data set {shown}, which would take `{first}` for a class"
            )),
            Format::ImageFolder
            | Format::Coop
            | Format::Parquet
            | Format::Arrow
            | Format::WebDataset
                if SplitName::from_name(&first).is_some() || parts.next().is_some() =>
            {
                Some(format!(
                    "lies in the folder `{first}` of the data set {shown}, whose folders are read"
                ))
            }
            _ => None,
        }
    }
}

/// A path with every link resolved; what of it does not exist yet stands as it was written.
fn real(path: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(path).ok()?;
    let mut missing = Vec::new();
    let mut there = absolute.as_path();
    loop {
        if let Ok(found) = there.canonicalize() {
            return Some(
                missing
                    .iter()
                    .rev()
                    .fold(found, |path, name| path.join(name)),
            );
        }
        missing.push(there.file_name()?);
        there = there.parent()?;
    }
}
