//! Few-shot lists that others publish: which images a figure was trained on.
//!
//! | file | of | content |
//! |---|---|---|
//! | `shot_K-seed_S_train.jsonl`, `shot_K-seed_S_val.jsonl` | 2SFS (Farina et al., 2025) | one object an image |
//! | `shot_K-seed_S.pkl` | CoOp (Zhou et al., 2022) and what is built on Dassl | a pickled dict of lists of records |
//!
//! An image is found by the last parts of its path, so that a list holds wherever its author had the
//! set. An image may be listed several times, as drawing with replacement does, and then counts so
//! often. Labels must be those of the task; class names may differ, for readers rename classes.

mod jsonl;
mod pickled;
mod resolve;
mod write;

use std::io::Read;
use std::path::{Path, PathBuf};

use vlpt_base::hash::sha256;

use crate::error::{ListError, Result};

pub use write::write_list;

/// The largest file that is read as a list, in bytes.
const MAX_LIST: u64 = 64 << 20;

/// A list as its file has it; nothing of it is compared with a task yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FewShotList {
    /// The file, of two that of the training images.
    pub path: PathBuf,
    /// SHA-256 (hex) of the file, of two that of both one after the other.
    pub sha256: String,
    /// Images to train on, at least one.
    pub train: Listed,
    /// Images to validate on; none where the list brings none.
    pub val: Option<Listed>,
}

/// The images of a part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The file.
    path: PathBuf,
    /// Key of the part, where a file has several.
    key: Option<&'static str>,
    /// The images in the order of the file.
    pub images: Vec<ListedImage>,
}

/// One image of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedImage {
    /// Its line, or its number among the entries of its part, from 1.
    number: usize,
    /// Its path, as listed.
    pub path: String,
    /// Its label, counted from 0.
    pub label: u32,
    /// Its class, as listed; may be empty.
    pub class: String,
}

impl Listed {
    /// Where an image stands.
    fn place(&self, image: &ListedImage) -> String {
        match self.key {
            Some(key) => format!("entry {} of `{key}`", image.number),
            None => format!("line {}", image.number),
        }
    }
}

/// The layouts of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Layout {
    Jsonl,
    Pickle,
}

fn layout(path: &Path) -> Result<Layout> {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("jsonl") => Ok(Layout::Jsonl),
        Some("pkl" | "pickle") => Ok(Layout::Pickle),
        _ => Err(ListError::UnknownEnding {
            path: path.to_owned(),
        }
        .into()),
    }
}

impl FewShotList {
    /// Reads a list. Beside `NAME_train.jsonl` the file `NAME_val.jsonl` has the validation images,
    /// where it is there.
    ///
    /// # Errors
    /// A file that cannot be read, is too large, or is no list; a list without training images.
    pub fn open(path: &Path) -> Result<Self> {
        let layout = layout(path)?;
        let bytes = read_whole(path)?;
        let (train, val, hash) = match layout {
            Layout::Pickle => {
                let (train, val) = pickled::parse(path, &bytes)?;
                (train, val, sha256(&bytes))
            }
            Layout::Jsonl => {
                let train = jsonl::parse(path, &bytes)?;
                match jsonl::partner(path).filter(|path| path.is_file()) {
                    Some(partner) => {
                        let more = read_whole(&partner)?;
                        let val = jsonl::parse(&partner, &more)?;
                        (train, Some(val), sha256(&[bytes, more].concat()))
                    }
                    None => (train, None, sha256(&bytes)),
                }
            }
        };
        if train.images.is_empty() {
            let path = path.to_owned();
            return Err(ListError::Empty { path }.into());
        }
        Ok(Self {
            path: path.to_owned(),
            sha256: hash,
            train,
            val: val.filter(|val| !val.images.is_empty()),
        })
    }
}

/// The bytes of a file that is not too large.
fn read_whole(path: &Path) -> Result<Vec<u8>> {
    let file = fs_err::File::open(path)?;
    let bytes = file.metadata()?.len();
    if bytes > MAX_LIST {
        return Err(ListError::TooLarge {
            path: path.to_owned(),
            bytes,
            limit: MAX_LIST,
        }
        .into());
    }
    let mut content = Vec::new();
    file.take(MAX_LIST).read_to_end(&mut content)?;
    Ok(content)
}

/// A text as a message shows it: the first 200 characters of a longer one.
fn shown(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(200).collect();
    if chars.next().is_some() {
        start + "..."
    } else {
        start
    }
}
