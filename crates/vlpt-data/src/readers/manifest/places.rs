//! Where the images of a table lie: as written, with an ending, in a folder of images beside the
//! table, below a folder that the user names, or anywhere by a name that is there once.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::archive::{Listings, Root};
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending as is_image;
use crate::readers::folders::{below, list};
use crate::split_name::SplitName;

/// Usual names of the folder with the images; `{}` is the split that the table is called after.
const FOLDERS: [&str; 26] = [
    "{}",
    "{}_images",
    "{}_imgs",
    "{}_img",
    "images/{}",
    "{}/images",
    "images_{}",
    "images",
    "image",
    "imgs",
    "img",
    "photos",
    "pictures",
    "pics",
    "jpg",
    "jpeg",
    "png",
    "data/images",
    "data",
    "train_images",
    "train",
    "training",
    "images/images",
    "train/train",
    "images/train",
    "all_images",
];
/// Rows that show in which folder the images lie.
const LOOKED_AT: usize = 100;
/// How deep, and among how many files, images are looked for by name.
const DEPTH: usize = 6;
const MOST_FILES: usize = 4_000_000;

/// Where an image lies.
#[derive(Debug, PartialEq)]
pub(in crate::readers) enum Spot {
    /// At this path below the root.
    At(String),
    /// Nowhere; it would be at this path.
    Missing(String),
}

/// Where the images of a table lie.
#[derive(Debug)]
pub(in crate::readers) struct Places {
    root: Arc<Root>,
    listings: Listings,
    /// Whether the user named the root.
    named: bool,
    /// The folder that paths start from, below the root.
    base: String,
    by_name: Option<HashMap<String, Vec<String>>>,
    note: Option<String>,
}

impl Places {
    /// Below `root`, in the folder `base` of it; `named`: the user says that images lie there.
    pub(in crate::readers) fn new(root: &Arc<Root>, base: &str, named: bool) -> Self {
        Self {
            root: Arc::clone(root),
            listings: Listings::new(root),
            named,
            base: base.to_owned(),
            by_name: None,
            note: None,
        }
    }

    /// Finds out where the images of a table lie, from its first rows.
    ///
    /// # Errors
    /// A folder cannot be listed.
    pub(in crate::readers) fn settle(&mut self, table: &Path, cells: &[&str]) -> Result<()> {
        let cells = &cells[..cells.len().min(LOOKED_AT)];
        let base = self.base.clone();
        let outside = cells.iter().all(|cell| is_absolute(cell));
        if self.named || outside || self.count(&base, cells)? > 0 {
            return Ok(());
        }
        let stem = table.file_stem().unwrap_or_default().to_string_lossy();
        let part = stem
            .split(|c: char| !c.is_alphabetic())
            .find(|word| SplitName::from_name(word).is_some());
        let mut best: Vec<(usize, String)> = Vec::new();
        for pattern in FOLDERS {
            let folder = match part {
                Some(part) => pattern.replace("{}", part),
                None if pattern.contains("{}") => continue,
                None => pattern.to_owned(),
            };
            let folder = below(&base, &folder);
            if best.iter().all(|(_, before)| *before != folder) && self.root.join(&folder).is_dir()
            {
                best.push((self.count(&folder, cells)?, folder));
            }
        }
        let most = best.iter().map(|(count, _)| *count).max().unwrap_or(0);
        if most == 0 {
            self.index()?;
            return Ok(());
        }
        let mut full = best.into_iter().filter(|(count, _)| *count == most);
        if let Some((_, folder)) = full.next() {
            let others: Vec<String> = full.map(|(_, folder)| format!("`{folder}`")).collect();
            let others = match &others[..] {
                [] => String::new(),
                others => format!(
                    "; {} has files of the same names: `--image-root` names another folder",
                    others.join(", ")
                ),
            };
            self.note = Some(format!("images lie in `{folder}`{others}"));
            self.base = folder;
        }
        Ok(())
    }

    /// How many cells name an image in a folder.
    fn count(&mut self, folder: &str, cells: &[&str]) -> Result<usize> {
        let mut count = 0;
        for cell in cells {
            let path = if is_absolute(cell) {
                self.inside(cell)
            } else {
                Root::plain(cell, "").ok().map(|path| below(folder, &path))
            };
            if let Some(path) = path {
                count += usize::from(!self.at(&path)?.is_empty());
            }
        }
        Ok(count)
    }

    /// The image that a cell means.
    ///
    /// # Errors
    /// The path leaves the root, several images fit, or a folder cannot be listed.
    pub(in crate::readers) fn find(
        &mut self,
        cell: &str,
        table: &Path,
        place: &str,
    ) -> Result<Spot> {
        let origin = || format!("{}: {place}", table.display());
        let plain = if is_absolute(cell) {
            let inside = self.inside(cell);
            if inside.is_none() && !self.named {
                let (origin, path) = (origin(), cell.to_owned());
                return Err(LayoutError::LeavesRoot { origin, path }.into());
            }
            inside
        } else {
            Some(below(&self.base, &Root::plain(cell, &origin())?))
        };
        let mut found = match &plain {
            Some(path) => self.at(path)?,
            None => Vec::new(),
        };
        if found.is_empty() && self.named {
            found = self.by_ending(cell, &origin())?;
        }
        if found.is_empty() && self.by_name.is_some() {
            found = self.anywhere(cell);
        }
        match &found[..] {
            [] => Ok(Spot::Missing(plain.unwrap_or_else(|| cell.to_owned()))),
            [_] => Ok(Spot::At(found.remove(0))),
            [one, other, ..] => Err(LayoutError::BadEntry {
                file: table.to_path_buf(),
                place: place.to_owned(),
                found: format!("`{cell}`, which fits `{one}` and `{other}`"),
                expected: "one image: write its path, or name the folder with the images by `--image-root`".to_owned(),
            }
            .into()),
        }
    }

    /// The folder that found paths start from.
    pub(in crate::readers) fn root(&self) -> &Arc<Root> {
        &self.root
    }

    /// What was found out, for the notes of the task.
    pub(in crate::readers) fn note(&self) -> Option<String> {
        self.note.clone()
    }

    /// An absolute path that lies below the root after all.
    fn inside(&self, cell: &str) -> Option<String> {
        let real = self.root.path().canonicalize().ok()?;
        let below = Path::new(cell).strip_prefix(real).ok()?;
        Root::plain(below.to_str()?, "").ok()
    }

    /// The file at this plain path, or the images at it with an ending.
    fn at(&mut self, path: &str) -> Result<Vec<String>> {
        if self.listings.has(path)? {
            return Ok(vec![path.to_owned()]);
        }
        if path.contains('\\') {
            return match Root::plain(&path.replace('\\', "/"), "") {
                Ok(turned) => self.at(&turned),
                Err(_) => Ok(Vec::new()),
            };
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if is_image(name) {
            return Ok(Vec::new());
        }
        let names = self.listings.with_ending(folder, name)?;
        let images = names.into_iter().filter(|name| is_image(name));
        Ok(images.map(|name| below(folder, &name)).collect())
    }

    /// Images below the root that end as a path of another machine does.
    fn by_ending(&mut self, cell: &str, origin: &str) -> Result<Vec<String>> {
        let turned = cell.replace('\\', "/");
        let parts: Vec<&str> = turned
            .split('/')
            .filter(|part| !part.is_empty() && *part != ".")
            .collect();
        if parts.contains(&"..") {
            Root::plain(cell, origin)?;
        }
        let mut found = Vec::new();
        for start in 0..parts.len() {
            for path in self.at(&parts[start..].join("/"))? {
                if !found.contains(&path) {
                    found.push(path);
                }
            }
        }
        Ok(found)
    }

    /// Images anywhere below the root whose path ends as the cell does.
    fn anywhere(&self, cell: &str) -> Vec<String> {
        let turned = cell.replace('\\', "/");
        let turned = turned.trim_start_matches("./");
        let name = turned.rsplit('/').next().unwrap_or(turned);
        let paths = self.by_name.as_ref().and_then(|names| names.get(name));
        let fits = |path: &&String| {
            let stem = path
                .rsplit_once('.')
                .map_or(path.as_str(), |(stem, _)| stem);
            [path.as_str(), stem].iter().any(|path| {
                path.strip_suffix(turned)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
            })
        };
        paths.into_iter().flatten().filter(fits).cloned().collect()
    }

    /// All images below the base by their names, with and without ending.
    fn index(&mut self) -> Result<()> {
        let mut names: HashMap<String, Vec<String>> = HashMap::new();
        let mut open = vec![(self.base.clone(), 0)];
        let mut folders: Vec<String> = Vec::new();
        let mut count = 0;
        while let Some((folder, depth)) = open.pop() {
            let place = self.root.join(&folder);
            if self
                .root
                .check_links(if folder.is_empty() { "." } else { &folder })
                .is_err()
            {
                continue; // a link that leads out holds no image of this set
            }
            let here = list(&place)?;
            let images: Vec<&String> = here.files.iter().filter(|name| is_image(name)).collect();
            if !images.is_empty() {
                folders.push(folder.clone());
            }
            for name in images {
                let path = below(&folder, name);
                let stem = name
                    .rsplit_once('.')
                    .map_or(name.as_str(), |(stem, _)| stem);
                names.entry(stem.to_owned()).or_default().push(path.clone());
                names.entry(name.clone()).or_default().push(path);
                count += 1;
            }
            if depth < DEPTH && count < MOST_FILES {
                let inner = here.folders.iter().rev();
                open.extend(inner.map(|name| (below(&folder, name), depth + 1)));
            }
        }
        if count > 0 {
            let shown: Vec<String> = folders.iter().take(4).map(|f| format!("`{f}`")).collect();
            self.note = Some(format!(
                "images are found by their names, in {} folders such as {}",
                folders.len(),
                shown.join(", ")
            ));
            self.by_name = Some(names);
        }
        Ok(())
    }
}

/// Whether a path starts at a root, of this system or of Windows.
fn is_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let drive = bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.get(1) == Some(&b':')
        && matches!(bytes.get(2), Some(b'/' | b'\\'));
    path.starts_with('/') || path.starts_with('\\') || drive
}
