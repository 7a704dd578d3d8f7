//! `checksums.sha256`: the hashes of the files that decide what a prompt folder predicts, as
//! `sha256sum` writes and checks them. Folders of older versions have none.

use std::path::Path;

use fs_err as fs;
use vlpt_base::hash::sha256;

use crate::{AdapterError, Result};

/// Name of the file.
pub(super) const FILE: &str = "checksums.sha256";

/// Files whose every bit counts; the others are for people, who may write into them.
const COVERED: [&str; 4] = [
    "adapter_config.json",
    "adapter_model.safetensors",
    "class_names.txt",
    "classifier.safetensors",
];

/// The file for a folder of such files.
pub(super) fn of(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let covered = files.iter().filter(|(name, _)| COVERED.contains(name));
    let lines = covered.map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes)));
    lines.collect::<String>().into_bytes()
}

/// Compares the files of a folder with the hashes beside them, where there are any.
///
/// # Errors
/// A file that is not what was written, or hashes that cannot be read.
pub(super) fn check(folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(());
    }
    let damaged = |what: String| AdapterError::Damaged {
        path: path.clone(),
        what,
    };
    let text = String::from_utf8(fs::read(&path)?)
        .map_err(|_| damaged("is no text: expected lines of a SHA-256 and a name".to_owned()))?;
    let mut left = COVERED.to_vec();
    for line in text.lines() {
        let entry = line.split_once("  ").filter(|(hash, _)| hash.len() == 64);
        let place = entry.and_then(|(_, name)| left.iter().position(|&covered| covered == name));
        let (Some((hash, name)), Some(place)) = (entry, place) else {
            let what = format!("has the line {line:?}: expected a SHA-256 and one of {left:?}");
            return Err(damaged(what));
        };
        left.remove(place);
        let file = folder.join(name);
        let found = sha256(&fs::read(&file)?);
        if found != hash {
            return Err(AdapterError::Changed {
                path: file,
                stored: hash.to_owned(),
                found,
            });
        }
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(damaged(format!("has no line for {}", left.join(", "))))
    }
}
