//! The labels of all rows, which are read a row group at a time.

use bytes::Bytes;

use super::values::{Value, decode, definition_levels, dictionary};
use super::{ParquetTable, damaged, guarded};
use crate::archive::file_at::FileAt;
use crate::error::Result;
use crate::memory::make_room;

/// Bytes that an encoded image takes at least.
const SMALLEST_IMAGE: u64 = 16;

impl ParquetTable {
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
        make_room(&mut rows, wanted).map_err(broken)?;
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
