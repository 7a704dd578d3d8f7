//! From a model's name to its files: the folder, then the cache, then the hub.

#[cfg(feature = "hub")]
mod blobs;
mod cache;
mod checksum;
#[cfg(feature = "hub")]
mod download;
#[cfg(not(feature = "hub"))]
#[path = "no_download.rs"]
mod download;
#[cfg(feature = "hub")]
mod info;
#[cfg(feature = "hub")]
mod net;
mod settings;
#[cfg(feature = "hub")]
mod transfer;
mod waits;

use std::path::Path;

pub use settings::HubSettings;
pub use waits::HubWaits;

use self::cache::Snapshot;
use crate::error::{ClipError, Result};
use crate::files::ModelFiles;
use crate::names::{ModelName, Place};
use crate::progress::Progress;

/// The hub, its cache and how it may be used.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: HubSettings,
    waits: HubWaits,
    thorough: bool,
}

impl Hub {
    /// A hub with the given settings.
    pub fn new(settings: HubSettings) -> Self {
        Self {
            settings,
            waits: HubWaits::default(),
            thorough: false,
        }
    }

    /// Other bounds on waiting.
    #[must_use]
    pub fn with_waits(mut self, waits: HubWaits) -> Self {
        self.waits = waits;
        self
    }

    /// Compares weights in the cache with their hashes as well, each time; small files always are.
    #[must_use]
    pub fn thorough(mut self) -> Self {
        self.thorough = true;
        self
    }

    /// Settings from the environment, read as `huggingface_hub` reads them; see
    /// [`HubSettings::from_env`] and [`HubWaits::from_variables`].
    pub fn from_env() -> Self {
        let waits = HubWaits::from_variables(|name| std::env::var(name).ok());
        Self::new(HubSettings::from_env()).with_waits(waits)
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
                let folder = match cached.snapshot(self.settings.offline, self.thorough)? {
                    Snapshot::Whole(folder) => folder,
                    Snapshot::Missing if self.settings.offline => {
                        return Err(offline(&cached, "not whole in the cache"));
                    }
                    Snapshot::Damaged(what) if self.settings.offline => {
                        return Err(offline(&cached, &format!("damaged in the cache ({what})")));
                    }
                    Snapshot::Missing | Snapshot::Damaged(_) => {
                        self.fetch(&cached, progress, &mut notes)?
                    }
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

impl Hub {
    /// Downloads what is missing or damaged. When that fails and the cache has what is needed,
    /// though perhaps not every optional file, that is taken and told.
    fn fetch(
        &self,
        cached: &cache::Repo,
        progress: &dyn Progress,
        notes: &mut Vec<String>,
    ) -> Result<std::path::PathBuf> {
        let fetched = download::fetch(&self.settings, self.waits, cached, progress, notes);
        fetched.or_else(|error| match cached.snapshot(true, self.thorough) {
            Ok(Snapshot::Whole(folder)) => {
                notes.push(format!("{error}; the files in the cache are used"));
                Ok(folder)
            }
            _ => Err(error),
        })
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

fn offline(cached: &cache::Repo, what: &str) -> ClipError {
    ClipError::Hub {
        repo: format!("{}@{}", cached.id, cached.revision),
        what: format!("{what}, and the hub may not be asked (offline)"),
        hint: Some(
            "unset HF_HUB_OFFLINE and TRANSFORMERS_OFFLINE once to download it, \
             or give the model's folder"
                .to_owned(),
        ),
    }
}
