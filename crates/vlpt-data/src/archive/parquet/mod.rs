//! Images in the rows of a Parquet file, read in place.
//!
//! The `parquet` crate reads the footer. Pages are found, unpacked and decoded here, because the
//! crate's readers panic on some damaged files and take whatever room a file asks for. What panics all
//! the same is an error of that file.

mod chunk;
mod delta;
mod footer;
mod header;
mod hybrid;
mod rows;
#[cfg(test)]
mod tests;
mod thrift;
mod unpack;
mod values;
mod windows;

use std::collections::HashMap;
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::file::metadata::ParquetMetaData;

use super::file_at::FileAt;
use super::root::Root;
use crate::error::{DataError, LayoutError, Result};
use crate::memory::make_room;

use chunk::Chunk;
use values::Value;
use windows::Windows;

pub use windows::WindowCache;

/// A Parquet file whose footer was read once. Opened for every window, so that many files do not
/// use up the open files of the process.
#[derive(Debug)]
pub struct ParquetTable {
    name: String,
    path: PathBuf,
    number: u32,
    metadata: ParquetMetaData,
    /// First row of each row group, and the number of all rows at the end.
    starts: Vec<u64>,
    image_leaf: usize,
    groups: Mutex<HashMap<usize, Arc<Windows>>>,
    cache: Arc<WindowCache>,
}

impl ParquetTable {
    /// Reads the footer of the file at `name` below `root`, the `number`th of its set.
    ///
    /// # Errors
    /// It is absent, leaves the root, is not a Parquet file, or claims a longer footer or more rows
    /// than are read, or more rows than its bytes can hold.
    pub fn open(root: &Root, name: &str, number: u32, cache: &Arc<WindowCache>) -> Result<Self> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        let broken = |what: String| damaged(name, &what);
        let metadata = guarded(name, || footer::read(&file).map_err(broken))?;
        let starts = footer::starts(&metadata, file.len()).map_err(broken)?;
        let (name, cache) = (name.to_owned(), Arc::clone(cache));
        Ok(Self {
            name,
            path,
            number,
            metadata,
            starts,
            image_leaf: 0,
            groups: Mutex::default(),
            cache,
        })
    }

    /// Names the leaf column that holds the encoded images, such as `image.bytes`.
    #[must_use]
    pub fn with_image_leaf(self, image_leaf: usize) -> Self {
        Self { image_leaf, ..self }
    }

    /// Path relative to the root.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Footer: schema, row groups, key-value metadata.
    pub fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    /// `file@row`, relative to the root.
    pub fn id(&self, row: u64) -> String {
        format!("{}@{row}", self.name)
    }

    /// The bytes of the image in a row.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, there is no such row, or it holds no image.
    pub fn read(&self, row: u64) -> Result<Vec<u8>> {
        guarded(&self.id(row), || self.read_row(row))
    }

    fn read_row(&self, row: u64) -> Result<Vec<u8>> {
        let broken = |what: String| damaged(&self.id(row), &what);
        if row >= self.rows() {
            return Err(broken(format!("no such row; the file has {}", self.rows())));
        }
        let group = self.starts.partition_point(|start| *start <= row) - 1;
        let windows = self.windows(group)?;
        let inside = (row - self.starts[group]) as usize;
        let (window, inside) = windows
            .find(inside)
            .ok_or_else(|| broken("no such row".to_owned()))?;
        let file = FileAt::open(&self.path)?;
        let key = (self.number, group, window);
        let load = || windows.load(&file, window);
        let images = self.cache.get(key, windows.bytes(window), load);
        match images.map_err(broken)?.get(inside) {
            Some(Some(bytes)) => {
                let mut copy = Vec::new();
                make_room(&mut copy, bytes.len()).map_err(broken)?;
                copy.extend_from_slice(bytes);
                Ok(copy)
            }
            _ => Err(damaged(&self.id(row), &"the row holds no image bytes")),
        }
    }

    fn windows(&self, group: usize) -> Result<Arc<Windows>> {
        // the lock is kept while headers are read: no thread does the same work twice
        let mut groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(windows) = groups.get(&group) {
            return Ok(Arc::clone(windows));
        }
        let chunk = self.chunk(&FileAt::open(&self.path)?, self.image_leaf, group)?;
        if !Bytes::is(chunk.shape.kind) || chunk.shape.repetition > 0 {
            return Err(self.wrong_kind(&chunk, "bytes"));
        }
        let windows = Arc::new(Windows::of(chunk));
        groups.insert(group, Arc::clone(&windows));
        Ok(windows)
    }

    fn chunk(&self, file: &FileAt, leaf: usize, group: usize) -> Result<Chunk> {
        let rows = (self.starts[group + 1] - self.starts[group]) as usize;
        let group = self.metadata.row_group(group);
        let meta = group.columns().get(leaf);
        let meta = meta.ok_or_else(|| damaged(&self.name, &format!("no column {leaf}")))?;
        Chunk::index(file, meta, rows).map_err(|what| damaged(&self.name, &what))
    }

    fn wrong_kind(&self, chunk: &Chunk, expected: &str) -> DataError {
        let found = chunk.shape.kind;
        let detail = format!("a column holds {found}, where {expected} are expected");
        damaged(&self.name, &detail)
    }
}

/// Runs `work` on a file; a panic, for which the libraries leave room, is an error of the file.
fn guarded<T>(origin: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let stopped = || damaged(origin, &"the library that reads it gave up");
    crate::quiet::catch(work).unwrap_or_else(|| Err(stopped()))
}

fn damaged(origin: &str, detail: &dyn Display) -> DataError {
    LayoutError::damaged(origin, "Parquet", detail).into()
}
