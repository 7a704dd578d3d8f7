//! The cache of image features: one file for a split and a view, named by its content's key.
//!
//! A file is used only when its key, shape and checksum are right; anything else is computed
//! again. The whole folder can be deleted at any time.

use std::path::{Path, PathBuf};

use vlpt_base::files::write_atomic_shared;
use vlpt_base::hash::sha256;

use super::FeatureExtractor;
use vlpt_clip::Observer;

use crate::tensors::{Named, TensorFile};
use crate::{AdapterError, Result};

const TENSOR: &str = "features";
const KEY: &str = "key";
const CHECKSUM: &str = "sha256";

impl FeatureExtractor<'_> {
    /// The cached features, if they are there and whole.
    pub(super) fn cached(
        &self,
        key: &str,
        shape: [usize; 2],
        observer: &dyn Observer,
    ) -> Option<Vec<f32>> {
        let path = file(self.cache.as_ref()?, key);
        if !path.exists() {
            return None;
        }
        match read(&path, key, shape) {
            Ok(features) => Some(features),
            Err(error) => {
                observer.note(&format!("cached features are computed again: {error}"));
                None
            }
        }
    }

    /// Puts features into the cache.
    pub(super) fn keep(
        &self,
        key: &str,
        shape: [usize; 2],
        features: &[f32],
        observer: &dyn Observer,
    ) {
        let Some(dir) = &self.cache else { return };
        if let Err(error) = write(dir, key, shape, features) {
            observer.note(&format!("image features were not kept: {error}"));
        }
    }
}

fn file(dir: &Path, key: &str) -> PathBuf {
    dir.join("features").join(format!("{key}.safetensors"))
}

fn read(path: &Path, key: &str, shape: [usize; 2]) -> Result<Vec<f32>> {
    let damaged = |what: &str| AdapterError::Damaged {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let mut file = TensorFile::read(path)?;
    if file.metadata.get(KEY).is_none_or(|found| found != key) {
        return Err(damaged("holds the features of something else"));
    }
    let tensor = file
        .tensors
        .remove(TENSOR)
        .ok_or_else(|| damaged("holds no features"))?;
    if tensor.shape != shape {
        return Err(damaged("has another shape"));
    }
    if file.metadata.get(CHECKSUM) != Some(&checksum(&tensor.data)) {
        return Err(damaged("has changed since it was written"));
    }
    Ok(tensor.data)
}

fn write(dir: &Path, key: &str, shape: [usize; 2], features: &[f32]) -> Result<()> {
    let path = file(dir, key);
    let folder = dir.join("features");
    fs_err::create_dir_all(&folder)?;
    let mut content = TensorFile::default();
    content
        .tensors
        .insert(TENSOR.to_owned(), Named::new(&shape, features.to_vec()));
    content.metadata.insert(KEY.to_owned(), key.to_owned());
    content
        .metadata
        .insert(CHECKSUM.to_owned(), checksum(features));
    // Other processes may write the same file.
    Ok(write_atomic_shared(&path, &content.to_bytes())?)
}

fn checksum(values: &[f32]) -> String {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    sha256(&bytes)
}
