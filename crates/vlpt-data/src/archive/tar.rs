//! Members of a tar, read in place.

use std::fmt::Display;
use std::io::BufReader;
use std::path::PathBuf;

use super::file_at::{FileAt, MAX_MEMBER_BYTES};
use super::root::Root;
use crate::error::{DataError, LayoutError, Result};

/// A file in a tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarMember {
    /// Path inside the tar, in plain form.
    pub name: String,
    /// Where its bytes begin.
    pub offset: u64,
    /// Number of bytes.
    pub size: u64,
}

/// A tar whose headers were read once. The file is opened for every read, so that a set of
/// thousands of shards does not use up the open files of the process.
#[derive(Debug)]
pub struct TarArchive {
    name: String,
    path: PathBuf,
    members: Vec<TarMember>,
}

impl TarArchive {
    /// Walks the headers of the tar at `name` below `root`. Folders are passed over.
    ///
    /// # Errors
    /// It is absent, leaves the root, is not a plain tar, ends early, or holds links, sparse files
    /// or paths that climb.
    pub fn open(root: &Root, name: &str) -> Result<Self> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        let mut magic = file.bytes_at(0, file.len().min(2) as usize)?;
        magic.resize(2, 0);
        if magic == [0x1f, 0x8b] {
            return Err(damaged(
                name,
                &"it is compressed with gzip; only plain tars are read",
            ));
        }
        let mut members = Vec::new();
        let mut tar = tar::Archive::new(BufReader::with_capacity(4096, file.clone()));
        for entry in tar
            .entries_with_seek()
            .map_err(|error| damaged(name, &error))?
        {
            let entry = entry.map_err(|error| damaged(name, &error))?;
            let inside = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_dir() {
                continue;
            }
            if !kind.is_file() {
                let detail = format!("member `{inside}` is a {kind:?}, not a plain file");
                return Err(damaged(name, &detail));
            }
            let (offset, size) = (entry.raw_file_position(), entry.size());
            if offset.checked_add(size).is_none_or(|end| end > file.len()) {
                let detail = format!(
                    "member `{inside}` should end at byte {}, but the file ends at {}",
                    offset.saturating_add(size),
                    file.len()
                );
                return Err(damaged(name, &detail));
            }
            members.push(TarMember {
                name: Root::plain(&inside, name)?,
                offset,
                size,
            });
        }
        Ok(Self {
            name: name.to_owned(),
            path,
            members,
        })
    }

    /// The files, in the order of the tar.
    pub fn members(&self) -> &[TarMember] {
        &self.members
    }

    /// `archive@member`, relative to the root.
    pub fn id(&self, entry: u32) -> String {
        match self.members.get(entry as usize) {
            Some(member) => format!("{}@{}", self.name, member.name),
            None => format!("{}@#{entry}", self.name),
        }
    }

    /// The bytes of a member.
    ///
    /// # Errors
    /// The file cannot be read or has become shorter, or the member is over
    /// [`MAX_MEMBER_BYTES`].
    pub fn read(&self, entry: u32) -> Result<Vec<u8>> {
        let member = self
            .members
            .get(entry as usize)
            .ok_or_else(|| damaged(&self.id(entry), &"no such member"))?;
        if member.size > MAX_MEMBER_BYTES {
            let detail = format!(
                "{} bytes, more than the limit of {MAX_MEMBER_BYTES}",
                member.size
            );
            return Err(damaged(&self.id(entry), &detail));
        }
        Ok(FileAt::open(&self.path)?.bytes_at(member.offset, member.size as usize)?)
    }
}

fn damaged(origin: &str, detail: &dyn Display) -> DataError {
    LayoutError::damaged(origin, "tar", detail).into()
}
