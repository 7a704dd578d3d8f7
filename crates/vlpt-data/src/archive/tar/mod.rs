//! Members of a tar, read in place, or where it was unpacked from gzip.

mod headers;
mod stream;

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;

use super::file_at::{FileAt, MAX_MEMBER_BYTES};
use super::root::Root;
use super::spool::Spool;
use crate::error::{DataError, LayoutError, Result};

pub use stream::TarStream;

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

/// Where the bytes of a tar lie.
#[derive(Debug)]
enum Source {
    /// In the tar itself, which is opened for every read, so that a set of thousands of shards does
    /// not use up the open files of the process.
    File(PathBuf),
    /// In a temporary file, unpacked.
    Spool(Arc<Spool>),
}

/// A tar whose headers were read once.
#[derive(Debug)]
pub struct TarArchive {
    name: String,
    source: Source,
    members: Vec<TarMember>,
}

/// What other ways of packing begin with, and the program that unpacks them.
const PACKED: [(&[u8], &str, &str); 4] = [
    (b"BZh", "bzip2", "bunzip2"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "xz", "unxz"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "Zstandard", "unzstd"),
    (&[0x04, 0x22, 0x4d, 0x18], "LZ4", "unlz4"),
];

impl TarArchive {
    /// Walks the headers of the tar at `name` below `root`. Folders are passed over. A tar packed
    /// with gzip is unpacked to `spool` first.
    ///
    /// # Errors
    /// It is absent, leaves the root, is neither a plain tar nor packed with gzip, ends early, has
    /// names of more than 64 KiB, holds links, sparse files or paths that climb, or is too much for
    /// the spool.
    pub fn open(root: &Root, name: &str, spool: &Arc<Spool>) -> Result<Self> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        let magic = file.bytes_at(0, file.len().min(6) as usize)?;
        for (start, kind, program) in PACKED {
            if magic.starts_with(start) {
                let detail = format!(
                    "it is compressed with {kind}; plain tars and those of gzip are read: unpack it with `{program}` first"
                );
                return Err(damaged(name, &detail));
            }
        }
        let (source, file, start, length) = if magic.starts_with(&[0x1f, 0x8b]) {
            let (start, length) = spool.unpack(&file).map_err(|e| damaged(name, &e))?;
            let unpacked = spool.file().map_err(|e| damaged(name, &e))?;
            (Source::Spool(Arc::clone(spool)), unpacked, start, length)
        } else {
            let length = file.len();
            (Source::File(path), file, 0, length)
        };
        let mut members = Vec::new();
        headers::walk(&file, start, length, usize::MAX, &mut members)
            .map_err(|what| damaged(name, &what))?;
        for member in &mut members {
            member.name = Root::plain(&member.name, name)?;
        }
        Ok(Self {
            name: name.to_owned(),
            source,
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
        let file = match &self.source {
            Source::File(path) => FileAt::open(path)?,
            Source::Spool(spool) => spool.file().map_err(|e| damaged(&self.id(entry), &e))?,
        };
        Ok(file.bytes_at(member.offset, member.size as usize)?)
    }
}

/// Members and unpacked bytes that [`peek`] looks at.
const PEEK_MEMBERS: usize = 64;
const PEEK_BYTES: u64 = 16 << 20;

/// Names of the first members of a tar, plain or of gzip; none where it cannot be read.
pub(crate) fn peek(path: &std::path::Path) -> Vec<String> {
    let mut members = Vec::new();
    let Ok(file) = FileAt::open(path) else {
        return Vec::new();
    };
    let packed = file.bytes_at(0, 2).is_ok_and(|magic| magic == [0x1f, 0x8b]);
    // what is cut off behind the part that is looked at is no concern here
    if packed {
        let spool = Spool::default();
        if let Ok((start, length)) = spool.unpack_some(&file, PEEK_BYTES)
            && let Ok(file) = spool.file()
        {
            let _ = headers::walk(&file, start, length, PEEK_MEMBERS, &mut members);
        }
    } else {
        let _ = headers::walk(&file, 0, file.len(), PEEK_MEMBERS, &mut members);
    }
    members.into_iter().map(|member| member.name).collect()
}

fn damaged(origin: &str, detail: &dyn Display) -> DataError {
    LayoutError::damaged(origin, "tar", detail).into()
}
