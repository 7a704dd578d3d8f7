//! A zip or tar by its name, and the files in it.

use std::path::Path;
use std::sync::Arc;

use super::{Root, ZipArchive};
#[cfg(feature = "webdataset")]
use super::{Spool, TarArchive};
use crate::error::{LayoutError, Result};
use crate::image::has_image_ending;
use crate::junk::is_junk_path;
use crate::sample::ImageRef;

/// Endings of tars that are read, the longest first.
pub const TAR_ENDINGS: [&str; 3] = [".tar.gz", ".tgz", ".tar"];
/// Endings of other ways of packing, told from what is no archive at all; the last two are no tars.
const OTHERS: [&str; 8] = [
    ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".7z", ".rar",
];

/// Kinds of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
    /// One that is not read.
    Other,
}

/// What archive a file is by its name.
fn kind(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let is = |ending: &&str| name.ends_with(*ending);
    if is(&".zip") {
        Some(Kind::Zip)
    } else if is(&".7z") || is(&".rar") {
        Some(Kind::Other)
    } else {
        let tar = TAR_ENDINGS.iter().any(is) || OTHERS.iter().any(is);
        tar.then_some(Kind::Tar)
    }
}

/// Whether the file at `path` is an archive by its name.
pub fn is_archive(path: &Path) -> bool {
    kind(path).is_some() && path.is_file()
}

/// An archive, its index read once.
#[derive(Debug)]
pub enum Archive {
    /// A zip.
    Zip(Arc<ZipArchive>),
    /// A tar, plain or packed with gzip.
    #[cfg(feature = "webdataset")]
    Tar(Arc<TarArchive>),
}

/// The images of an archive in its own order, and how many files of other kinds it holds, with the
/// first.
#[derive(Debug)]
pub struct PackedImages {
    /// Each with its name in the archive.
    pub images: Vec<(String, ImageRef)>,
    /// How many files are no images by their names.
    pub others: usize,
    /// The first of them.
    pub first_other: Option<String>,
}

impl Archive {
    /// Opens the archive at `path`; its ending tells the kind.
    ///
    /// # Errors
    /// It is damaged, packed in a way that is not read, or of a kind that this build does not read.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
        let root = Root::open(folder.unwrap_or(Path::new(".")))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match kind(path) {
            Some(Kind::Zip) => Ok(Self::Zip(ZipArchive::open(&root, &name)?)),
            Some(Kind::Other) => {
                let detail = "such archives are not read: unpack it and open its folder";
                Err(LayoutError::damaged(&name, "zip or tar", &detail).into())
            }
            _ => Self::open_tar(&root, path, &name),
        }
    }

    #[cfg(feature = "webdataset")]
    fn open_tar(root: &Root, _: &Path, name: &str) -> Result<Self> {
        let tar = TarArchive::open(root, name, &Arc::new(Spool::default()))?;
        Ok(Self::Tar(Arc::new(tar)))
    }

    #[cfg(not(feature = "webdataset"))]
    fn open_tar(_: &Root, path: &Path, _: &str) -> Result<Self> {
        Err(LayoutError::NotBuiltIn {
            path: path.to_path_buf(),
            format: crate::format::Format::WebDataset,
            feature: "webdataset",
        }
        .into())
    }

    /// Names of the plain files, each with its place in the index.
    pub fn files(&self) -> Vec<(String, u32)> {
        match self {
            Self::Zip(zip) => (0..zip.len() as u32)
                .filter_map(|entry| Some((zip.member(entry)?, entry)))
                .filter(|((_, folder), _)| !folder)
                // older programs on Windows wrote their own separators
                .map(|((name, _), entry)| (name.replace('\\', "/"), entry))
                .collect(),
            #[cfg(feature = "webdataset")]
            Self::Tar(tar) => {
                let names = tar.members().iter().map(|member| member.name.clone());
                names.zip(0..).collect()
            }
        }
    }

    /// Where the bytes of a file lie.
    pub fn image(&self, entry: u32) -> ImageRef {
        match self {
            Self::Zip(zip) => ImageRef::Zip {
                archive: Arc::clone(zip),
                entry,
            },
            #[cfg(feature = "webdataset")]
            Self::Tar(tar) => ImageRef::Tar {
                archive: Arc::clone(tar),
                entry,
            },
        }
    }

    /// The files that are images by their names; hidden files and what systems leave are passed over.
    pub fn images(&self) -> PackedImages {
        let mut found = PackedImages {
            images: Vec::new(),
            others: 0,
            first_other: None,
        };
        for (name, entry) in self.files() {
            if is_junk_path(&name) {
                continue;
            }
            if has_image_ending(&name) {
                found.images.push((name, self.image(entry)));
            } else {
                found.others += 1;
                found.first_other.get_or_insert(name);
            }
        }
        found
    }
}
