//! Reading images where they lie: below a root folder, in zips, in tars, in Parquet and
//! Arrow files.
//!
//! Archives stay packed. An archive's index is read once; each image is then read by its place in the
//! file, with positioned reads that any number of threads may do at once. Only a tar that is
//! compressed as a whole is unpacked, to a temporary file.

#[cfg(feature = "parquet")]
mod arrow;
mod file_at;
mod hub;
mod packed;
#[cfg(feature = "parquet")]
mod parquet;
mod raw;
mod root;
#[cfg(feature = "webdataset")]
mod spool;
#[cfg(feature = "webdataset")]
mod tar;
mod zip;
mod zip_bounds;

#[cfg(feature = "parquet")]
pub use arrow::{ArrowLeaf, ArrowTable};
pub(crate) use file_at::FileAt;
pub use file_at::MAX_MEMBER_BYTES;
pub(crate) use hub::snapshot_name;
pub use packed::{Archive, PackedImages, TAR_ENDINGS, is_archive};
#[cfg(feature = "parquet")]
pub use parquet::{ParquetTable, WindowCache};
pub use raw::RawImages;
pub(crate) use raw::{Grid, Pixels};
pub(crate) use root::Listings;
pub use root::Root;
#[cfg(feature = "webdataset")]
pub use spool::Spool;
#[cfg(feature = "webdataset")]
pub(crate) use tar::peek;
#[cfg(feature = "webdataset")]
pub use tar::{TarArchive, TarMember, TarStream};
pub use zip::ZipArchive;
