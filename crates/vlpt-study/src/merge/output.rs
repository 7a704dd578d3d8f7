//! Tables as files.

use std::path::Path;

use vlpt_base::files::write_atomic;

use super::table::Table;
use crate::Result;

/// Writes `NAME.csv` into a folder, and `NAME.parquet` where the feature `parquet` is built in.
pub(crate) fn write(table: &Table, folder: &Path, name: &str) -> Result<()> {
    let path = folder.join(format!("{name}.csv"));
    write_atomic(&path, table.to_csv(&path)?.as_bytes())?;
    #[cfg(feature = "parquet")]
    {
        let path = folder.join(format!("{name}.parquet"));
        write_atomic(&path, &super::parquet::bytes(table, &path)?)?;
    }
    Ok(())
}
