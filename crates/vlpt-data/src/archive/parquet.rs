//! Images in the rows of a Parquet file, read in place.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::BufReader;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::column::page::PageReader;
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{ByteArray, ByteArrayType, DataType};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::file_at::FileAt;
use super::root::Root;
use super::zstd_pages::ZstdPages;
use crate::error::{DataError, LayoutError, Result};

/// Encoded images that one window aims at. Rows are read in windows so that reading a file from
/// front to back decodes each page about once, whatever the size of its row groups.
const WINDOW_BYTES: u64 = 4 << 20;
/// Windows kept for all files of one set together.
const WINDOWS_KEPT: usize = 8;

/// The last windows that were read, shared by the files of a set.
#[derive(Debug, Default)]
pub struct WindowCache {
    windows: Mutex<VecDeque<Window>>,
}

#[derive(Debug, Clone)]
struct Window {
    file: u32,
    group: usize,
    first: usize,
    images: Arc<Vec<Option<Bytes>>>,
}

impl WindowCache {
    fn get(&self, file: u32, group: usize, first: usize) -> Option<Arc<Vec<Option<Bytes>>>> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let place = windows
            .iter()
            .position(|w| (w.file, w.group, w.first) == (file, group, first))?;
        let window = windows.remove(place)?;
        let images = Arc::clone(&window.images);
        windows.push_back(window);
        Some(images)
    }

    fn put(&self, window: Window) {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.push_back(window);
        if windows.len() > WINDOWS_KEPT {
            windows.pop_front();
        }
    }
}

/// A Parquet file whose footer was read once. Opened for every window, so that many files do not
/// use up the open files of the process.
#[derive(Debug)]
pub struct ParquetTable {
    name: String,
    path: PathBuf,
    number: u32,
    metadata: ParquetMetaData,
    image_leaf: usize,
    cache: Arc<WindowCache>,
}

impl ParquetTable {
    /// Reads the footer of the file at `name` below `root`, the `number`th of its set.
    ///
    /// # Errors
    /// It is absent, leaves the root, or is not a Parquet file.
    pub fn open(root: &Root, name: &str, number: u32, cache: &Arc<WindowCache>) -> Result<Self> {
        let path = root.check_links(name)?;
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&FileAt::open(&path)?)
            .map_err(|error| damaged(name, &error))?;
        let (name, cache) = (name.to_owned(), Arc::clone(cache));
        Ok(Self {
            name,
            path,
            number,
            metadata,
            image_leaf: 0,
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
        self.metadata
            .row_groups()
            .iter()
            .map(|group| group.num_rows().max(0) as u64)
            .sum()
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
        let mut start = 0;
        for (index, group) in self.metadata.row_groups().iter().enumerate() {
            let rows = group.num_rows().max(0) as u64;
            if row < start + rows {
                return self.read_in_group(index, (row - start) as usize, row);
            }
            start += rows;
        }
        Err(damaged(
            &self.id(row),
            &format!("no such row; the file has {start}"),
        ))
    }

    fn read_in_group(&self, group: usize, inside: usize, row: u64) -> Result<Vec<u8>> {
        let meta = self.metadata.row_group(group);
        let bytes = meta.column(self.image_leaf).uncompressed_size().max(1) as u64;
        let mean = bytes.div_ceil(meta.num_rows().max(1) as u64);
        let size = (WINDOW_BYTES / mean).clamp(1, 4096) as usize;
        let first = inside / size * size;
        let images = if let Some(images) = self.cache.get(self.number, group, first) {
            images
        } else {
            let images = self.column::<ByteArrayType>(self.image_leaf, group, first, size)?;
            let images: Vec<Option<Bytes>> = images
                .into_iter()
                .map(|v| {
                    v.as_ref()
                        .map(|array: &ByteArray| Bytes::copy_from_slice(array.data()))
                })
                .collect();
            let images = Arc::new(images);
            let window = Window {
                file: self.number,
                group,
                first,
                images: Arc::clone(&images),
            };
            self.cache.put(window);
            images
        };
        match images.get(inside - first) {
            Some(Some(bytes)) => Ok(bytes.to_vec()),
            _ => Err(damaged(&self.id(row), &"the row holds no image bytes")),
        }
    }

    /// Up to `count` values of a leaf column of one row group, from row `first`; `None` where the
    /// value is null. The column may be optional, in optional structs, but not repeated.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub fn column<T: DataType>(
        &self,
        leaf: usize,
        group: usize,
        first: usize,
        count: usize,
    ) -> Result<Vec<Option<T::T>>> {
        let broken = |error: &dyn Display| damaged(&self.name, &error);
        let meta = self.metadata.row_group(group);
        let chunk = meta.column(leaf);
        if chunk.column_type() != T::get_physical_type() {
            let detail = format!(
                "column `{}` holds {}, where {} is expected",
                chunk.column_path().string(),
                chunk.column_type(),
                T::get_physical_type()
            );
            return Err(broken(&detail));
        }
        let file = Arc::new(FileAt::open(&self.path)?);
        let rows = meta.num_rows().max(0) as usize;
        let pages = pages(file, chunk, rows).map_err(|e| broken(&e))?;
        let descriptor = chunk.column_descr_ptr();
        let full = descriptor.max_def_level();
        let mut reader = ColumnReaderImpl::<T>::new(descriptor, pages);
        reader.skip_records(first).map_err(|e| broken(&e))?;
        let (mut levels, mut values) = (Vec::new(), Vec::new());
        let (read, _, _) = reader
            .read_records(
                count.min(rows - first.min(rows)),
                Some(&mut levels),
                None,
                &mut values,
            )
            .map_err(|e| broken(&e))?;
        if full == 0 {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut values = values.into_iter();
        Ok((0..read)
            .map(|i| {
                if levels.get(i) == Some(&full) {
                    values.next()
                } else {
                    None
                }
            })
            .collect())
    }
}

/// The pages of a column chunk of a row group of `rows` rows.
fn pages(
    file: Arc<FileAt>,
    chunk: &ColumnChunkMetaData,
    rows: usize,
) -> ParquetResult<Box<dyn PageReader>> {
    if matches!(chunk.compression(), Compression::ZSTD(_)) {
        let as_stored = chunk
            .clone()
            .into_builder()
            .set_compression(Compression::UNCOMPRESSED)
            .build()?;
        let pages = SerializedPageReader::new(file, &as_stored, rows, None)?;
        return Ok(Box::new(ZstdPages::new(pages)));
    }
    Ok(Box::new(SerializedPageReader::new(
        file, chunk, rows, None,
    )?))
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
