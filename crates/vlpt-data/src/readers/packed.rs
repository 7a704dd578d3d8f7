//! A zip or tar that is a data set itself.
//!
//! Its names are laid out as empty files in a temporary folder, beside the texts of its tables and
//! lists, so that every reader of folders reads it; then the images are found in the archive, where
//! they are read in place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::layout::{Gives, Item, Layout};
use super::made_split::hash_of;
use super::webdataset::tar_name;
use super::{cifar, idx};
use crate::archive::{Archive, Root};
use crate::error::{DataError, LayoutError, Result};
use crate::format::Format;
use crate::image::has_image_ending as is_image;
use crate::junk::is_junk_path;
use crate::sample::Sample;
use crate::split_name::SplitName;
use crate::task::Task;

/// As the documentation shows it.
pub(super) const LAYOUTS: &[Layout] = &[Layout {
    name: "zip or tar",
    format: Format::ImageFolder,
    sign: "a file `.zip`, `.tar`, `.tar.gz` or `.tgz` with any layout of folders and tables inside; it stays packed",
    open: "photos.zip",
    flags: "",
    example: &[Item::Zip(
        "photos.zip",
        &[
            Item::Images(&["photos/train/cat/1.jpg", "photos/train/dog/2.jpg"]),
            Item::Images(&["photos/test/cat/3.jpg", "photos/test/dog/4.jpg"]),
        ],
    )],
    gives: Gives::single(&["cat", "dog"], [2, 0, 2]),
}];

/// Endings of texts that readers read.
const TEXTS: [&str; 8] = [
    "csv", "tsv", "txt", "json", "jsonl", "ndjson", "names", "md",
];
/// Endings of what cannot be read inside an archive; files of raw pixels cannot either.
const NESTED: [&str; 6] = ["parquet", "arrow", "zip", "tar", "tgz", "gz"];
/// Largest text, and the most members.
const MAX_TEXT_BYTES: usize = 256 << 20;
const MAX_MEMBERS: usize = 1_000_000;
/// How many folders around everything else are stepped into.
const MAX_AROUND: usize = 4;

/// The names of an archive in a temporary folder.
pub(super) struct Shadow {
    archive: Archive,
    path: PathBuf,
    /// Goes away with this.
    _place: TempDir,
    folder: PathBuf,
    entries: HashMap<String, u32>,
    /// What was stepped into.
    around: String,
}

impl Shadow {
    /// Lays out the archive at `path`.
    ///
    /// # Errors
    /// It cannot be read, holds a path that climbs, or nothing but other archives.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let archive = Archive::open(path)?;
        let origin = path.display().to_string();
        let wrong = |detail: String| LayoutError::damaged(&origin, "data set", &detail);
        let mut files = Vec::new();
        for (name, entry) in archive.files() {
            let name = Root::plain(&name, &origin)?;
            if !is_junk_path(&name) {
                files.push((name, entry));
            }
        }
        if files.len() > MAX_MEMBERS {
            let detail = format!(
                "{} members, more than {MAX_MEMBERS}: unpack it",
                files.len()
            );
            return Err(wrong(detail).into());
        }
        let ending = |name: &str| name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
        let nested = files.iter().find(|(name, _)| {
            let base = name.rsplit('/').next().unwrap_or(name);
            ending(name).is_some_and(|ending| NESTED.contains(&&*ending))
                || cifar::is_batch(base)
                || idx::is_images(base)
        });
        if let Some((nested, _)) = nested
            && !files.iter().any(|(name, _)| is_image(name))
        {
            let detail =
                format!("it holds `{nested}` and no images: unpack it and open its folder");
            return Err(wrong(detail).into());
        }
        let around = around(&files);
        let place = tempfile::Builder::new().prefix("vlpt-").tempdir()?;
        let folder = place.path().join(stem(path));
        fs_err::create_dir(&folder)?;
        let mut entries = HashMap::new();
        for (name, entry) in files {
            let name = name[around.len()..].to_owned();
            let text = ending(&name).is_some_and(|ending| TEXTS.contains(&&*ending));
            let bytes = if text {
                archive.image(entry).read()?
            } else {
                Vec::new()
            };
            if bytes.len() > MAX_TEXT_BYTES {
                return Err(wrong(format!("`{name}` has {} bytes: unpack it", bytes.len())).into());
            }
            lay_out(&folder, &name, &bytes)
                .map_err(|error| wrong(format!("`{name}` cannot be laid out: {error}")))?;
            entries.insert(name, entry);
        }
        Ok(Self {
            archive,
            path: path.to_path_buf(),
            _place: place,
            folder,
            entries,
            around,
        })
    }

    /// The folder to read.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The task with images in the archive.
    ///
    /// # Errors
    /// An image is none of the archive's members.
    pub(super) fn put_back(&self, mut task: Task) -> Result<Task> {
        let splits = [&mut task.train, &mut task.test];
        let splits = splits.into_iter().chain(&mut task.val);
        for sample in splits.flat_map(|split| &mut split.samples) {
            self.put_back_one(sample)?;
        }
        task.provenance.root.clone_from(&self.path);
        let mut notes = vec!["images are read in the archive, which stays packed".to_owned()];
        if !self.around.is_empty() {
            let around = self.around.trim_end_matches('/');
            notes.push(format!("everything lies in its folder `{around}`"));
        }
        task.provenance.notes.extend(notes);
        if let Some(made) = &mut task.provenance.made_split {
            let val = task.val.as_ref();
            let val = val.map_or(&[][..], |split| &split.samples[..]);
            let parts = [&task.train.samples[..], val, &task.test.samples[..]];
            made.sha256 = hash_of(SplitName::ALL.into_iter().zip(parts));
        }
        Ok(task)
    }

    fn put_back_one(&self, sample: &mut Sample) -> Result<()> {
        let id = sample.image.id();
        let entry = self.entries.get(&id).ok_or_else(|| {
            let detail = format!("`{id}` cannot be read inside it: unpack it and open its folder");
            LayoutError::damaged(&self.path.display().to_string(), "data set", &detail)
        })?;
        sample.image = self.archive.image(*entry);
        Ok(())
    }

    /// An error about the temporary folder as one about the archive.
    pub(super) fn retell(&self, error: &DataError) -> DataError {
        let folder = self.folder.display().to_string();
        LayoutError::InArchive {
            message: error
                .to_string()
                .replace(&folder, &self.path.display().to_string()),
            hint: error.hint(),
        }
        .into()
    }
}

fn lay_out(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let place = folder.join(name);
    if let Some(parent) = place.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(place, bytes)
}

/// The name of an archive without its ending.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let tar = tar_name(&name).map(|(stem, _)| stem.to_owned());
    tar.or_else(|| Some(path.file_stem()?.to_string_lossy().into_owned()))
        .filter(|stem| !stem.is_empty())
        .unwrap_or_else(|| "data".to_owned())
}

/// The folders that hold everything else, with a `/` at the end of each; none where one is called
/// like a split, or where the last would hold nothing but images, since it is a class then.
fn around(files: &[(String, u32)]) -> String {
    let mut around = String::new();
    for _ in 0..MAX_AROUND {
        let below = |name: &String| name[around.len()..].to_owned();
        let names: Vec<String> = files.iter().map(|(name, _)| below(name)).collect();
        let Some((first, _)) = names.first().and_then(|name| name.split_once('/')) else {
            break;
        };
        let start = format!("{first}/");
        let inside = |name: &String| name.strip_prefix(&start).map(str::to_owned);
        let Some(inside) = names.iter().map(inside).collect::<Option<Vec<_>>>() else {
            break;
        };
        let class = inside
            .iter()
            .all(|name| !name.contains('/') && is_image(name));
        if class || SplitName::from_name(first).is_some() {
            break;
        }
        around.push_str(&start);
    }
    around
}
