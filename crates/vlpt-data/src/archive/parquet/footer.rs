//! The footer of a file: read with an eye on its length, and held against what the file can hold.

use std::io::BufReader;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData,
};
use parquet::file::reader::{ChunkReader, Length};

use crate::archive::file_at::{FileAt, MOST_ROWS};

/// Longest footer that is read: hundreds of thousands of row groups.
const MAX_FOOTER_BYTES: u64 = 64 << 20;
/// What a file ends with: the length of its footer in 4 bytes, and 4 letters.
const TAIL_BYTES: usize = 8;
/// Most rows for one byte of their columns. An image takes more than a byte, and so does its name in
/// a column of names, but not where the names follow each other and are packed well.
const ROWS_OF_A_BYTE: u64 = 8;

/// Reads the footer.
///
/// # Errors
/// The file is too short, the footer is longer than [`MAX_FOOTER_BYTES`] or is no Parquet footer.
pub(super) fn read(file: &FileAt) -> Result<ParquetMetaData, String> {
    if let Some(start) = file.len().checked_sub(TAIL_BYTES as u64) {
        let tail = file.bytes_at(start, TAIL_BYTES);
        let tail = tail.map_err(|error| error.to_string())?;
        let length = u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]);
        // the second mark is that of an encrypted footer; what has neither is the library's to refuse
        let marked = tail.ends_with(b"PAR1") || tail.ends_with(b"PARE");
        if marked && u64::from(length) > MAX_FOOTER_BYTES {
            return Err(format!(
                "a footer of {length} bytes, more than the limit of {MAX_FOOTER_BYTES}"
            ));
        }
    }
    let read = ParquetMetaDataReader::new().parse_and_finish(file);
    read.map_err(|error| error.to_string())
}

/// First row of each row group, and the number of all rows.
///
/// # Errors
/// There are more rows than [`MOST_ROWS`], or than their bytes can hold.
pub(super) fn starts(metadata: &ParquetMetaData, bytes: u64) -> Result<Vec<u64>, String> {
    let mut starts = vec![0];
    let mut total = 0_u64;
    for group in metadata.row_groups() {
        let rows = u64::try_from(group.num_rows()).ok();
        let packed = column_bytes(group);
        total = rows
            .filter(|rows| *rows <= packed.saturating_mul(ROWS_OF_A_BYTE))
            .and_then(|rows| total.checked_add(rows))
            // an image and its label take a byte or more
            .filter(|total| *total <= bytes)
            .ok_or_else(|| {
                let rows = group.num_rows();
                format!(
                    "a row group of {rows} rows in {packed} bytes of columns, in a file of {bytes} bytes"
                )
            })?;
        if total > MOST_ROWS as u64 {
            return Err(format!(
                "{total} rows or more, where one file may have {MOST_ROWS}: write the set as several files"
            ));
        }
        starts.push(total);
    }
    Ok(starts)
}

/// Bytes that the columns of a row group take in the file, as the footer says.
fn column_bytes(group: &RowGroupMetaData) -> u64 {
    let sizes = group
        .columns()
        .iter()
        .map(ColumnChunkMetaData::compressed_size);
    let sizes = sizes.map(|size| u64::try_from(size).unwrap_or(0));
    sizes.fold(0, u64::saturating_add)
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
