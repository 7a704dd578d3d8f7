//! Arrow files, whose columns are chosen and whose rows are read as those of Parquet files.

use std::path::Path;
use std::sync::Arc;

use super::columns::choose;
use super::read::of_tables;
use super::schema::arrow_leaves;
use super::table::RowTable;
use crate::archive::{ArrowTable, Root};
use crate::error::Result;
use crate::format::Format;
use crate::readers::options::OpenOptions;
use crate::readers::shards::Splits;
use crate::readers::task_builder::TaskBuilder;

/// The task of these Arrow files; `description` says what the folder of a file knows of its columns,
/// for files that say nothing themselves.
///
/// # Errors
/// The files have other columns, are damaged, or hold labels that are no classes.
pub(in crate::readers) fn read(
    path: &Path,
    root: &Arc<Root>,
    found: Splits,
    options: &OpenOptions,
    description: impl Fn(&str) -> Option<String>,
) -> Result<TaskBuilder> {
    let open = |_, file: &str| {
        let table = ArrowTable::open(root, file)?;
        let leaves = arrow_leaves(&table);
        let of_folder = match table.hugging_face() {
            Some(_) => None,
            None => description(file),
        };
        let description = table.hugging_face().or(of_folder.as_deref());
        let columns = choose(&root.join(file), &leaves, description, options)?;
        let leaf = columns.images.bytes.unwrap_or_default();
        let table = RowTable::Arrow(Arc::new(table.with_image_leaf(leaf)));
        Ok((table, columns))
    };
    of_tables(path, root, Format::Arrow, found, options, open)
}
