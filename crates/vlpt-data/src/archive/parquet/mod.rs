//! Images in the rows of a Parquet file, read in place.
//!
//! The `parquet` crate reads the footer. Pages are found, unpacked and decoded here, because the
//! crate's readers panic on some damaged files and take whatever room a file asks for. What panics all
//! the same is an error of that file.

mod chunk;
mod delta;
mod header;
mod hybrid;
mod thrift;
mod unpack;
mod values;
mod windows;

use std::collections::HashMap;
use std::fmt::Display;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};

use super::file_at::FileAt;
use super::root::Root;
use crate::error::{DataError, LayoutError, Result};

use chunk::Chunk;
use values::{Value, decode, definition_levels, dictionary};
use windows::Windows;

pub use windows::WindowCache;

/// Bytes that an encoded image takes at least.
const SMALLEST_IMAGE: u64 = 16;

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
    /// It is absent, leaves the root, is not a Parquet file, or claims more rows than its bytes can
    /// hold.
    pub fn open(root: &Root, name: &str, number: u32, cache: &Arc<WindowCache>) -> Result<Self> {
        let path = root.check_links(name)?;
        let file = FileAt::open(&path)?;
        let metadata = guarded(name, || {
            ParquetMetaDataReader::new()
                .parse_and_finish(&file)
                .map_err(|error| damaged(name, &error))
        })?;
        let starts = starts(&metadata, file.len()).map_err(|what| damaged(name, &what))?;
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
            Some(Some(bytes)) => Ok(bytes.to_vec()),
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

    /// The numbers of a leaf column of a row group, row by row. A row without a list around its
    /// value has one number; `None` stands for a row without a value or without a list.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn numbers(&self, leaf: usize, group: usize) -> Result<Vec<Option<Vec<i64>>>> {
        guarded(&self.name, || self.rows_of(leaf, group))
    }

    /// The texts or bytes of a leaf column of a row group, as [`ParquetTable::numbers`].
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn texts(&self, leaf: usize, group: usize) -> Result<Vec<Option<Vec<Bytes>>>> {
        guarded(&self.name, || self.rows_of(leaf, group))
    }

    /// Which rows of a group have no value in a leaf column of bytes; `None` where the file says, or
    /// its size makes sure, that all have one.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn absent(&self, leaf: usize, group: usize) -> Result<Option<Vec<bool>>> {
        guarded(&self.name, || self.absent_rows(leaf, group))
    }

    fn absent_rows(&self, leaf: usize, group: usize) -> Result<Option<Vec<bool>>> {
        let meta = self.metadata.row_group(group).columns().get(leaf);
        let nulls = meta.and_then(|meta| meta.statistics()?.null_count_opt());
        let rows = self.starts[group + 1] - self.starts[group];
        let full = match nulls {
            Some(nulls) => nulls == 0,
            // no image is this small
            None => meta.is_some_and(|m| m.compressed_size() as u64 / SMALLEST_IMAGE >= rows),
        };
        if full {
            return Ok(None);
        }
        let broken = |what: String| damaged(&self.name, &what);
        let file = FileAt::open(&self.path)?;
        let chunk = self.chunk(&file, leaf, group)?;
        if !Bytes::is(chunk.shape.kind) || chunk.shape.repetition > 0 {
            return Err(self.wrong_kind(&chunk, "bytes"));
        }
        let mut absent = Vec::new();
        for page in 0..chunk.len() {
            let page = chunk.page(&file, page).map_err(broken)?;
            let levels = definition_levels(&page, chunk.shape).map_err(broken)?;
            absent.extend(levels.iter().map(|level| *level != chunk.shape.definition));
        }
        absent.resize(rows as usize, false); // a column that cannot be null has no levels
        Ok(Some(absent))
    }

    fn rows_of<T: Value>(&self, leaf: usize, group: usize) -> Result<Vec<Option<Vec<T>>>> {
        let broken = |what: String| damaged(&self.name, &what);
        let file = FileAt::open(&self.path)?;
        let chunk = self.chunk(&file, leaf, group)?;
        let shape = chunk.shape;
        if !T::is(shape.kind) || shape.repetition > 1 {
            return Err(self.wrong_kind(&chunk, "labels or lists of labels"));
        }
        let words: Option<Vec<T>> = chunk
            .dictionary(&file)
            .and_then(|page| page.map(|page| dictionary(&page, shape)).transpose())
            .map_err(broken)?;
        let wanted = (self.starts[group + 1] - self.starts[group]) as usize;
        let mut rows: Vec<Option<Vec<T>>> = Vec::new();
        for page in 0..chunk.len() {
            let decoded = chunk
                .page(&file, page)
                .and_then(|page| decode(&page, shape, words.as_deref()))
                .map_err(broken)?;
            let mut values = decoded.values.into_iter();
            for i in 0..chunk.values(page) {
                let level = decoded.definition.get(i).copied();
                let level = level.unwrap_or(shape.definition);
                let value = values.by_ref().take(usize::from(level == shape.definition));
                let begins = decoded.repetition.get(i).is_none_or(|level| *level == 0);
                match (begins, rows.last_mut()) {
                    (true, _) => {
                        let value: Vec<T> = value.collect();
                        // level 0 is null at the outermost; a list that is there may be empty
                        let absent = value.is_empty() && (shape.repetition == 0 || level == 0);
                        rows.push((!absent).then_some(value));
                    }
                    (false, Some(Some(row))) => row.extend(value),
                    (false, _) => {
                        return Err(broken("a list goes on that never began".to_owned()));
                    }
                }
            }
            if rows.len() > wanted {
                break;
            }
        }
        if rows.len() != wanted {
            let found = rows.len();
            return Err(broken(format!("{found} labels for {wanted} rows")));
        }
        Ok(rows)
    }
}

/// First row of each row group, and the number of all rows.
fn starts(metadata: &ParquetMetaData, bytes: u64) -> std::result::Result<Vec<u64>, String> {
    let mut starts = vec![0];
    let mut total = 0_u64;
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).ok();
        total = rows
            .and_then(|rows| total.checked_add(rows))
            // an image and its label take a byte or more
            .filter(|total| *total <= bytes)
            .ok_or_else(|| {
                let rows = group.num_rows();
                format!("a row group of {rows} rows in a file of {bytes} bytes")
            })?;
        starts.push(total);
    }
    Ok(starts)
}

/// Runs `work` on a file; a panic, for which the libraries leave room, is an error of the file.
fn guarded<T>(origin: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let stopped = || damaged(origin, &"the library that reads it gave up");
    crate::quiet::catch(work).unwrap_or_else(|| Err(stopped()))
}

fn damaged(origin: &str, detail: &dyn Display) -> DataError {
    LayoutError::damaged(origin, "Parquet", detail).into()
}

impl Length for FileAt {
    fn len(&self) -> u64 {
        FileAt::len(self)
    }
}

/// The reader that `parquet` has for files moves the one place that all handles share; this one
/// does not.
impl ChunkReader for FileAt {
    type T = BufReader<Self>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(BufReader::new(self.at(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        self.bytes_at(start, length)
            .map(Bytes::from)
            .map_err(|error| ParquetError::EOF(error.to_string()))
    }
}
