//! Tables as files.

use std::path::Path;

use vlpt_tables::{Columns, TablesError};

use crate::{Result, StudyError};

/// Writes `NAME.csv` into a folder, and `NAME.parquet` where the feature `parquet` is built in.
pub(crate) fn write(table: &Columns, folder: &Path, name: &str) -> Result<()> {
    table.write(folder, name).map_err(|error| match error {
        TablesError::File { path, what, .. } => StudyError::Table { path, what },
        other => StudyError::Table {
            path: folder.join(name),
            what: other.to_string(),
        },
    })?;
    Ok(())
}
