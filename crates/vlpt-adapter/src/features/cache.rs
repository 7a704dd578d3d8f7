//! The cache of image features: one file for a split and a view, named by its content's key.
//!
//! A file holds what the tower's last projection is applied to, so that one file serves methods that
//! need features, those that need what is before, and other projections; features made of it are
//! those of the tower, bit by bit. It is used only when its key, shape and checksum are right;
//! anything else is computed again. The whole folder can be deleted at any time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, json};
use vlpt_base::files::write_atomic_shared;
use vlpt_base::hash::sha256;
use vlpt_clip::Observer;

use super::FeatureExtractor;
use super::kept::KeptRows;
use crate::tensors::{header, open};
use crate::{AdapterError, Result};

const TENSOR: &str = "rows";
const KEY: &str = "key";
const CHECKSUM: &str = "sha256";

impl FeatureExtractor<'_> {
    /// Whether the cache has a file of that key, whole or not.
    pub(super) fn may_be_cached(&self, key: &str) -> bool {
        let place = self.cache.as_ref().map(|dir| file(dir, key));
        place.is_some_and(|path| path.exists())
    }

    /// The cached rows, if they are there and whole.
    pub(super) fn cached(
        &self,
        key: &str,
        shape: [usize; 2],
        observer: &dyn Observer,
    ) -> Option<KeptRows> {
        let path = file(self.cache.as_ref()?, key);
        if !path.exists() {
            return None;
        }
        match read(&path, key, shape) {
            Ok(rows) => Some(rows),
            Err(error) => {
                observer.note(&format!("cached features are computed again: {error}"));
                None
            }
        }
    }

    /// Puts rows into the cache; whether they are there now.
    pub(super) fn keep(
        &self,
        key: &str,
        shape: [usize; 2],
        rows: &KeptRows,
        observer: &dyn Observer,
    ) -> bool {
        let Some(dir) = &self.cache else { return false };
        let written = write(dir, key, shape, rows);
        if let Err(error) = &written {
            observer.note(&format!("image features were not kept: {error}"));
        }
        written.is_ok()
    }
}

fn file(dir: &Path, key: &str) -> PathBuf {
    dir.join("features").join(format!("{key}.safetensors"))
}

fn read(path: &Path, key: &str, shape: [usize; 2]) -> Result<KeptRows> {
    let damaged = |what: &str| AdapterError::Damaged {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    let bytes = fs_err::read(path)?;
    let (file, metadata) = open(&bytes, path)?;
    if metadata.get(KEY).is_none_or(|found| found != key) {
        return Err(damaged("holds the features of something else"));
    }
    let view = file
        .tensor(TENSOR)
        .map_err(|_| damaged("holds no features"))?;
    if view.shape() != shape {
        return Err(damaged("has another shape"));
    }
    if metadata.get(CHECKSUM) != Some(&sha256(view.data())) {
        return Err(damaged("has changed since it was written"));
    }
    KeptRows::read(view.dtype(), view.data()).ok_or_else(|| damaged("has another number format"))
}

fn write(dir: &Path, key: &str, shape: [usize; 2], rows: &KeptRows) -> Result<()> {
    let path = file(dir, key);
    fs_err::create_dir_all(dir.join("features"))?;
    let (format, values) = rows.stored();
    let metadata = BTreeMap::from([
        (KEY.to_owned(), key.to_owned()),
        (CHECKSUM.to_owned(), sha256(&values)),
    ]);
    let entry = json!({"dtype": format, "shape": shape, "data_offsets": [0, values.len()]});
    let entries = Map::from_iter([(TENSOR.to_owned(), entry)]);
    let mut bytes = header(&metadata, entries);
    bytes.extend(values);
    // Other processes may write the same file.
    Ok(write_atomic_shared(&path, &bytes)?)
}
