//! From a model's name to its files: the folder, then the cache, then the hub.

mod cache;
#[cfg(feature = "hub")]
mod download;
#[cfg(not(feature = "hub"))]
#[path = "no_download.rs"]
mod download;
mod settings;

use std::path::Path;

pub use settings::HubSettings;

use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::names::{ModelName, Place};
use crate::progress::Progress;

/// The hub, its cache and how it may be used.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: HubSettings,
}

impl Hub {
    /// A hub with the given settings.
    pub fn new(settings: HubSettings) -> Self {
        Self { settings }
    }

    /// Settings from the environment, read as `huggingface_hub` reads them; see
    /// [`HubSettings::from_env`].
    pub fn from_env() -> Self {
        Self::new(HubSettings::from_env())
    }

    /// Finds the files of a model: a folder is taken as it is; a repository comes from the cache,
    /// or is downloaded into it. Of a repository only the files that loading needs are fetched,
    /// all of one commit.
    ///
    /// # Errors
    /// When the name stands for nothing, or the files may not or cannot be fetched.
    pub fn resolve(&self, name: &ModelName, progress: &dyn Progress) -> Result<ModelFiles> {
        let mut files = self.find(name, progress)?;
        files.activation = name.activation().or(files.activation);
        Ok(files)
    }

    fn find(&self, name: &ModelName, progress: &dyn Progress) -> Result<ModelFiles> {
        match name.place(Path::exists)? {
            Place::Mini => Ok(ModelFiles::mini()),
            Place::Local(path) => local(name, &path),
            Place::Repo {
                id,
                revision,
                activation,
            } => {
                let Some(cache) = &self.settings.cache else {
                    return Err(ClipError::Hub {
                        repo: id,
                        what: "there is no home folder for the cache".to_owned(),
                        hint: Some("set HF_HOME to a folder".to_owned()),
                    });
                };
                let cached = cache::Repo::new(cache, &id, &revision);
                let mut notes = Vec::new();
                let folder = match cached.snapshot(self.settings.offline) {
                    Some(folder) => folder,
                    None if self.settings.offline => return Err(offline(&id, &revision)),
                    None => match (
                        download::fetch(&self.settings, &cached, progress),
                        cached.snapshot(true),
                    ) {
                        (Ok(folder), _) => folder,
                        // enough is there, though perhaps not every optional file
                        (Err(error), Some(folder)) => {
                            notes.push(format!("{error}; the files in the cache are used"));
                            folder
                        }
                        (Err(error), None) => return Err(error),
                    },
                };
                let mut files = ModelFiles::folder(name.to_string(), &folder)?;
                files.revision = folder
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned());
                files.activation = activation;
                files.notes = notes;
                Ok(files)
            }
        }
    }
}

/// A folder, or the folder of a weight file.
fn local(name: &ModelName, path: &Path) -> Result<ModelFiles> {
    if path.is_dir() {
        return ModelFiles::folder(name.to_string(), path);
    }
    let (Some(folder), Some(file)) = (path.parent(), path.file_name()) else {
        return Err(name.unknown());
    };
    if !path.is_file() {
        return Err(ClipError::MissingFile {
            place: path.display().to_string(),
            wanted: "folder or weight file of that name".to_owned(),
            hint: None,
        });
    }
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut files = ModelFiles::folder(name.to_string(), folder)?;
    files.weights = Some(file.to_string_lossy().into_owned());
    Ok(files)
}

fn offline(id: &str, revision: &str) -> ClipError {
    ClipError::Hub {
        repo: format!("{id}@{revision}"),
        what: "not whole in the cache, and the hub may not be asked (offline)".to_owned(),
        hint: Some(
            "unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE once to download it, \
             or give the model's folder"
                .to_owned(),
        ),
    }
}
