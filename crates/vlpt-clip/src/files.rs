//! The files of a model, wherever their bytes lie.

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use crate::config::Activation;
use crate::error::{ClipError, Result};

/// Name of the embedded model.
pub(crate) const MINI_NAME: &str = "mini-clip";

macro_rules! mini {
    ($($file:literal),+) => {
        [$(($file, include_bytes!(concat!("../assets/mini-clip/", $file)).as_slice())),+]
    };
}

/// The files of the embedded model.
static MINI: [(&str, &[u8]); 5] = mini!(
    "config.json",
    "merges.txt",
    "model.safetensors",
    "preprocessor_config.json",
    "vocab.json"
);

/// Where the bytes of one file come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileSource {
    /// A file on disk.
    Disk(PathBuf),
    /// Bytes inside the program.
    Embedded(&'static [u8]),
}

/// Something that weights are read from piece by piece.
pub(crate) trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

/// A resolved model: its name and, for each file by its name in the repository, its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFiles {
    /// The name as the user wrote it, without the revision.
    pub name: String,
    /// Revision of the repository: the commit where it is known. `None` for a folder.
    pub revision: Option<String>,
    /// What the user, or the name, says about the activation; the model's own files come first
    /// and a contradiction is an error.
    pub activation: Option<Activation>,
    /// The weight file, where the user named it; else the best of the files is taken.
    pub weights: Option<String>,
    /// What finding the files had to put up with; loading hands it on in its report.
    pub notes: Vec<String>,
    files: BTreeMap<String, FileSource>,
}

impl ModelFiles {
    /// A model of the given files.
    pub fn new(name: impl Into<String>, files: BTreeMap<String, FileSource>) -> Self {
        Self {
            name: name.into(),
            revision: None,
            activation: None,
            weights: None,
            notes: Vec::new(),
            files,
        }
    }

    /// All regular files of a folder, not of the folders in it.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn folder(name: impl Into<String>, folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            // follows links: the snapshots of the hub's cache are links to blobs; a broken one is
            // no file, and missed by name if it is needed
            if fs_err::metadata(entry.path()).is_ok_and(|data| data.is_file()) {
                let file_name = entry.file_name().to_string_lossy().into_owned();
                files.insert(file_name, FileSource::Disk(entry.path()));
            }
        }
        Ok(Self::new(name, files))
    }

    /// The small model inside the program, `mini-clip`.
    pub fn mini() -> Self {
        let files = MINI
            .iter()
            .map(|(file, bytes)| (String::from(*file), FileSource::Embedded(bytes)));
        Self::new(MINI_NAME, files.collect())
    }

    /// States the activation where the files do not say it.
    #[must_use]
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// Names of the files, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Whether a file of that name exists.
    pub fn has(&self, file: &str) -> bool {
        self.files.contains_key(file)
    }

    /// Where the bytes of a file come from.
    pub fn source(&self, file: &str) -> Option<&FileSource> {
        self.files.get(file)
    }

    /// The whole of a small file as text.
    pub(crate) fn text(&self, file: &str) -> Result<String> {
        let bytes = match self.wanted(file)? {
            FileSource::Disk(path) => fs_err::read(path)?,
            FileSource::Embedded(bytes) => bytes.to_vec(),
        };
        String::from_utf8(bytes).map_err(|error| {
            ClipError::config(self.place(file), format!("not UTF-8 text: {error}"))
        })
    }

    /// A small JSON file.
    pub(crate) fn json(&self, file: &str) -> Result<serde_json::Value> {
        serde_json::from_str(&self.text(file)?)
            .map_err(|error| ClipError::config(self.place(file), format!("not JSON: {error}")))
    }

    /// Opens a file for reading in pieces.
    pub(crate) fn open(&self, file: &str) -> Result<Box<dyn ReadSeek>> {
        Ok(match self.wanted(file)? {
            FileSource::Disk(path) => Box::new(std::io::BufReader::new(fs_err::File::open(path)?)),
            FileSource::Embedded(bytes) => Box::new(Cursor::new(*bytes)),
        })
    }

    /// How messages name a file.
    pub(crate) fn place(&self, file: &str) -> String {
        match self.files.get(file) {
            Some(FileSource::Disk(path)) => path.display().to_string(),
            _ => format!("{}/{file}", self.name),
        }
    }

    fn wanted(&self, file: &str) -> Result<&FileSource> {
        self.files.get(file).ok_or_else(|| ClipError::MissingFile {
            place: self.name.clone(),
            wanted: file.to_owned(),
            hint: None,
        })
    }
}
