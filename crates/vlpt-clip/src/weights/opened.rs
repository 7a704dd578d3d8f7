//! A file of PyTorch's, of either format, whose pickle is read and whose storages are found.

use std::collections::BTreeMap;

use super::pickle::Pickle;
use crate::error::ClipError;
use crate::files::ReadSeek;

/// Where an entry's bytes lie in the file.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) start: u64,
    pub(super) length: u64,
}

/// A file whose pickle is read and whose storages are found.
pub(super) struct Opened {
    pub(super) pickle: Pickle,
    /// Where the storages lie, by their names in the pickle.
    pub(super) storages: BTreeMap<String, Entry>,
    pub(super) reader: Box<dyn ReadSeek>,
}

/// The error for a file of the other byte order, `found`.
pub(super) fn wrong_byte_order(place: &str, found: &str) -> ClipError {
    ClipError::Unsupported {
        file: place.to_owned(),
        what: format!("byte order {found}"),
        hint: Some("save it on a little-endian machine, or as safetensors".to_owned()),
    }
}
