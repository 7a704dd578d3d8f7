//! A file of rows, whichever format it has.

use std::sync::Arc;

use bytes::Bytes;

use crate::archive::{ArrowTable, ParquetTable};
use crate::error::Result;
use crate::sample::ImageRef;

/// A file of rows in groups: Parquet's row groups, Arrow's record batches.
#[derive(Debug)]
pub(super) enum RowTable {
    Parquet(Arc<ParquetTable>),
    Arrow(Arc<ArrowTable>),
}

impl RowTable {
    /// Path relative to the root.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Parquet(table) => table.name(),
            Self::Arrow(table) => table.name(),
        }
    }

    /// Number of groups.
    pub(super) fn groups(&self) -> usize {
        match self {
            Self::Parquet(table) => table.metadata().num_row_groups(),
            Self::Arrow(table) => table.batches().count(),
        }
    }

    /// Number of rows of a group.
    pub(super) fn rows(&self, group: usize) -> usize {
        match self {
            Self::Parquet(table) => table.metadata().row_group(group).num_rows().max(0) as usize,
            Self::Arrow(table) => table.batches().nth(group).unwrap_or(0),
        }
    }

    /// The image in a row of the file.
    pub(super) fn image(&self, row: u64) -> ImageRef {
        match self {
            Self::Parquet(table) => ImageRef::Parquet {
                table: Arc::clone(table),
                row,
            },
            Self::Arrow(table) => ImageRef::Arrow {
                table: Arc::clone(table),
                row,
            },
        }
    }

    /// The numbers of a leaf column of a group, row by row.
    ///
    /// # Errors
    /// The file is damaged or cannot be read, or the column has another type.
    pub(super) fn numbers(&self, leaf: usize, group: usize) -> Result<Vec<Option<Vec<i64>>>> {
        match self {
            Self::Parquet(table) => table.numbers(leaf, group),
            Self::Arrow(table) => table.numbers(leaf, group),
        }
    }

    /// The texts of a leaf column of a group, row by row.
    ///
    /// # Errors
    /// As [`RowTable::numbers`].
    pub(super) fn texts(&self, leaf: usize, group: usize) -> Result<Vec<Option<Vec<Bytes>>>> {
        match self {
            Self::Parquet(table) => table.texts(leaf, group),
            Self::Arrow(table) => table.texts(leaf, group),
        }
    }

    /// Which rows of a group have no value in a leaf column; `None` where all have one.
    ///
    /// # Errors
    /// As [`RowTable::numbers`].
    pub(super) fn absent(&self, leaf: usize, group: usize) -> Result<Option<Vec<bool>>> {
        match self {
            Self::Parquet(table) => table.absent(leaf, group),
            Self::Arrow(table) => table.absent(leaf, group).map(Some),
        }
    }
}
