//! A model's folder that a test may spoil.

#![allow(dead_code)] // each test uses its part

use std::path::{Path, PathBuf};

use vlpt_clip::{Clip, ClipError, ModelFiles, Result};

/// A golden file.
pub(crate) fn golden(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/formats")
        .join(file)
}

/// A temporary copy of a golden model with its vocabulary.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn golden(format: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for source in [format, "tokenizer"] {
            for entry in fs_err::read_dir(golden(source)).unwrap() {
                let entry = entry.unwrap();
                fs_err::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
            }
        }
        folder
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn files(&self) -> ModelFiles {
        ModelFiles::folder("model", self.path()).unwrap()
    }

    pub(crate) fn load(&self) -> Result<Clip> {
        Clip::load(&self.files())
    }

    pub(crate) fn copy_as(&self, from: &str, to: &str) {
        fs_err::copy(golden(from), self.path().join(to)).unwrap();
    }

    pub(crate) fn remove(&self, file: &str) {
        fs_err::remove_file(self.path().join(file)).ok();
    }

    pub(crate) fn text(&self, file: &str) -> String {
        fs_err::read_to_string(self.path().join(file)).unwrap()
    }

    pub(crate) fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs_err::write(self.path().join(file), content).unwrap();
    }

    pub(crate) fn bytes(&self, file: &str) -> Vec<u8> {
        fs_err::read(self.path().join(file)).unwrap()
    }

    /// Changes a JSON file.
    pub(crate) fn edit(&self, file: &str, change: impl FnOnce(&mut serde_json::Value)) {
        let mut json = serde_json::from_str(&self.text(file)).unwrap();
        change(&mut json);
        self.write(file, json.to_string());
    }

    /// An error's message and hint, with the folder's path left out.
    pub(crate) fn show(&self, error: &ClipError) -> String {
        let hint = error
            .hint()
            .map(|hint| format!("\nhint: {hint}"))
            .unwrap_or_default();
        format!("{error}{hint}").replace(&format!("{}/", self.path().display()), "")
    }
}

/// The message of a model that must not load.
pub(crate) fn load_error(folder: &Folder) -> String {
    match folder.load() {
        Ok(_) => panic!("the model loads"),
        Err(error) => folder.show(&error),
    }
}
