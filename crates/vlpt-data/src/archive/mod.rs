//! Reading images where they lie: below a root folder, in zips, in tars, in Parquet files.
//!
//! Nothing is ever unpacked. An archive's index is read once; each image is then read by its place
//! in the file, with positioned reads that any number of threads may do at once.

mod file_at;
#[cfg(feature = "parquet")]
mod parquet;
mod root;
#[cfg(feature = "webdataset")]
mod tar;
mod zip;
#[cfg(feature = "parquet")]
mod zstd_pages;

pub use file_at::MAX_MEMBER_BYTES;
#[cfg(feature = "parquet")]
pub use parquet::{ParquetTable, WindowCache};
pub(crate) use root::Listings;
pub use root::Root;
#[cfg(feature = "webdataset")]
pub use tar::{TarArchive, TarMember};
pub use zip::ZipArchive;
