//! Members of a zip, read in place.

use std::fmt::Display;
use std::io::Read;
use std::sync::Arc;

use super::file_at::{FileAt, MAX_MEMBER_BYTES};
use super::root::Root;
use super::zip_bounds;
use crate::error::{DataError, LayoutError, Result};

/// An open zip: its index was read once, and any number of threads may read members at once.
#[derive(Debug)]
pub struct ZipArchive {
    name: String,
    zip: zip::ZipArchive<FileAt>,
}

impl ZipArchive {
    /// Opens the zip at `name` below `root` and reads its index.
    ///
    /// # Errors
    /// It is absent, leaves the root, or is not a zip.
    pub fn open(root: &Root, name: &str) -> Result<Arc<Self>> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        zip_bounds::check(&file).map_err(|what| damaged(name, &what))?;
        let zip = guarded(name, || {
            zip::ZipArchive::new(file).map_err(|error| damaged(name, &error))
        })?;
        Ok(Arc::new(Self {
            name: name.to_owned(),
            zip,
        }))
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.zip.len()
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.zip.len() == 0
    }

    /// Name of a member as it stands in the index, and whether it is a folder.
    pub fn member(&self, entry: u32) -> Option<(String, bool)> {
        let name = self.zip.name_for_index(entry as usize)?.ok()?;
        let folder = name.ends_with('/') || name.ends_with('\\');
        Some((name.to_string(), folder))
    }

    /// Position of the member of this name.
    pub fn find(&self, member: &str) -> Option<u32> {
        self.zip.index_for_name(member).map(|index| index as u32)
    }

    /// `archive@member`, relative to the root.
    pub fn id(&self, entry: u32) -> String {
        match self.zip.name_for_index(entry as usize) {
            Some(Ok(member)) => format!("{}@{member}", self.name),
            _ => format!("{}@#{entry}", self.name),
        }
    }

    /// The bytes of a member, checked against its checksum.
    ///
    /// # Errors
    /// The archive is damaged or cannot be read, or the member is encrypted or over
    /// [`MAX_MEMBER_BYTES`].
    pub fn read(&self, entry: u32) -> Result<Vec<u8>> {
        guarded(&self.id(entry), || self.read_member(entry))
    }

    fn read_member(&self, entry: u32) -> Result<Vec<u8>> {
        let mut zip = self.zip.clone(); // shares index and file handle
        let mut member = zip
            .by_index(entry as usize)
            .map_err(|error| damaged(&self.id(entry), &error))?;
        let declared = member.size();
        if declared > MAX_MEMBER_BYTES {
            let detail = format!("{declared} bytes, more than the limit of {MAX_MEMBER_BYTES}");
            return Err(damaged(&self.id(entry), &detail));
        }
        // the declared size is only a claim: allocate with what arrives
        let mut bytes = Vec::with_capacity(declared.min(1 << 20) as usize);
        let read = member.by_ref().take(declared + 1).read_to_end(&mut bytes);
        read.map_err(|error| damaged(&self.id(entry), &error))?;
        if bytes.len() as u64 != declared {
            let detail = format!(
                "holds {} bytes where its index says {declared}",
                bytes.len()
            );
            return Err(damaged(&self.id(entry), &detail));
        }
        Ok(bytes)
    }
}

/// Runs `work` on a zip; a panic of the library is an error of the file.
fn guarded<T>(origin: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let stopped = || damaged(origin, &"the library that reads it gave up");
    crate::quiet::catch(work).unwrap_or_else(|| Err(stopped()))
}

fn damaged(origin: &str, detail: &dyn Display) -> DataError {
    LayoutError::damaged(origin, "zip", detail).into()
}
