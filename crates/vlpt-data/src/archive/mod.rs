//! Reading images where they lie: below a root folder, in zips, in tars, in Parquet files.
//!
//! Nothing is ever unpacked. An archive's index is read once; each image is then read by its place
//! in the file, with positioned reads that any number of threads may do at once.

mod parquet;
mod root;
mod tar;
mod zip;

pub use parquet::ParquetTable;
pub use root::Root;
pub use tar::TarArchive;
pub use zip::ZipArchive;
