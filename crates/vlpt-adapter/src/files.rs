//! Files that are whole or absent.
//!
//! [`write_atomic`] writes beside the place (`NAME.new`), syncs, renames and syncs the folder. On
//! a kill the old file stays, or the new one is there; on a power cut the same holds as far as the
//! file system keeps the order of a synced write and a rename. A `.new` file that a kill leaves
//! behind is overwritten by the next write; one that an error leaves is removed.

use std::io::Write;
use std::path::{Path, PathBuf};

use fs_err as fs;
use sha2::{Digest, Sha256};

use crate::Result;

/// Writes a file so that it is whole or absent.
///
/// # Errors
/// The folder cannot be written, or the disk is full; nothing is left behind.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let written = write_synced(&beside, bytes).and_then(|()| Ok(fs::rename(&beside, path)?));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written?;
    sync_parent(path)
}

/// Writes a file and waits until it is on the disk.
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Puts a folder of files at `path`, whole or absent: written beside, synced, and renamed. An
/// older folder there is replaced.
pub fn write_folder(path: &Path, files: &[(&str, Vec<u8>)]) -> Result<()> {
    let beside = beside(path);
    remove_folder(&beside)?;
    fs::create_dir_all(&beside)?;
    for (name, bytes) in files {
        write_synced(&beside.join(name), bytes)?;
    }
    sync_folder(&beside)?;
    remove_folder(path)?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// `NAME.new` in the same folder.
pub fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    path.with_file_name(name)
}

/// Removes a folder and what is in it, if there is one.
pub fn remove_folder(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn sync_parent(path: &Path) -> Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

#[cfg(unix)]
fn sync_folder(path: &Path) -> Result<()> {
    fs::File::open(path)?.sync_all()?;
    Ok(())
}

#[cfg(not(unix))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "a folder cannot be opened as a file there"
)]
fn sync_folder(_path: &Path) -> Result<()> {
    Ok(())
}

/// SHA-256 of some parts, each with its length before it, as lower-case hexadecimal digits.
pub fn fingerprint<P: AsRef<[u8]>>(parts: impl IntoIterator<Item = P>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.as_ref();
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hex(&hash.finalize())
}

/// SHA-256 of some bytes, as lower-case hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A seed derived from named numbers: the first eight bytes of their SHA-256.
pub fn derive_seed(purpose: &str, parts: &[&[u8]]) -> u64 {
    let mut hash = Sha256::new();
    hash.update((purpose.len() as u64).to_le_bytes());
    hash.update(purpose);
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .fold(0, |seed, &byte| (seed << 8) | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_is_replaced_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prompt");
        write_folder(&path, &[("a", b"1".to_vec()), ("b", b"2".to_vec())]).unwrap();
        write_folder(&path, &[("c", b"3".to_vec())]).unwrap();
        let names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["c"]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_error_names_the_path() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("absent").join("a.json");
        let error = write_atomic(&path, b"one").unwrap_err().to_string();
        assert!(error.contains("absent"), "{error}");
    }

    #[test]
    fn fingerprints_know_where_a_part_ends() {
        assert_ne!(fingerprint(["ab", "c"]), fingerprint(["a", "bc"]));
        assert_ne!(
            derive_seed("x", &[b"ab", b"c"]),
            derive_seed("x", &[b"a", b"bc"])
        );
    }
}
