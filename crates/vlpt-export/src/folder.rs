//! What all folders of an export have in common.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;
use vlpt_base::files::{make_folder, write_atomic};
use vlpt_clip::{FileSource, ModelFiles};

use crate::error::{ExportError, Result};

/// Files of a tokenizer beside a model's weights; those it has are copied.
const TOKENIZER: [&str; 6] = [
    "vocab.json",
    "merges.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
];

/// Makes a folder that does not exist yet, whole or not at all.
///
/// # Errors
/// A folder that is there and not empty, or those of `make`.
pub(crate) fn new_folder<T>(out: &Path, make: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    check_new(out)?;
    let mut made = None;
    make_folder(out, |folder| -> Result<()> {
        made = Some(make(folder)?);
        Ok(())
    })?;
    made.ok_or_else(|| std::io::Error::other("the folder was not made").into())
}

/// Refuses whatever is there and is no empty folder: a device is no place for a folder either.
///
/// # Errors
/// It is there.
pub fn check_new(out: &Path) -> Result<()> {
    let empty = fs_err::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if out.exists() && !empty {
        return Err(ExportError::unsupported(
            format!("{}: exists already", out.display()),
            "choose a folder that does not exist yet",
        ));
    }
    Ok(())
}

/// Writes JSON as people read it.
pub(crate) fn write_json(path: &Path, value: &Json) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value).map_err(std::io::Error::other)?;
    text.push('\n');
    Ok(write_atomic(path, text.as_bytes())?)
}

/// Copies the tokenizer's files; their names, none where the model has none beside its weights.
pub(crate) fn copy_tokenizer(files: &ModelFiles, folder: &Path) -> Result<Vec<String>> {
    let mut copied = Vec::new();
    for name in TOKENIZER {
        let bytes = match files.source(name) {
            None => continue,
            Some(FileSource::Disk(path)) => fs_err::read(path)?,
            Some(FileSource::Embedded(bytes)) => bytes.to_vec(),
        };
        write_atomic(&folder.join(name), &bytes)?;
        copied.push(name.to_owned());
    }
    Ok(copied)
}

/// The files below a folder with their sizes, by path.
pub(crate) fn sizes(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let mut sizes = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs_err::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap_or(&path);
            let name = name.to_string_lossy().replace('\\', "/");
            sizes.insert(name, fs_err::metadata(&path)?.len());
        }
    }
    Ok(sizes)
}
