//! Reading images where they lie: below a root folder, in zips, in tars, in Parquet files.
//!
//! Nothing is ever unpacked. An archive's index is read once; each image is then read by its place
//! in the file, with positioned reads that any number of threads may do at once.

mod parquet;
mod pread;
mod root;
mod tar;
mod zip;

use std::fmt::Display;

pub use parquet::{ParquetTable, WindowCache};
pub(crate) use root::Listings;
pub use root::Root;
pub use tar::{TarArchive, TarMember};
pub use zip::ZipArchive;

use crate::error::DataError;
use crate::readers::LayoutError;

/// Largest member of an archive that is read, in bytes. An encoded image is far smaller; a member
/// that claims more is an attack or not an image.
pub const MAX_MEMBER_BYTES: u64 = 1 << 30;

fn damaged(origin: &str, kind: &'static str, detail: &dyn Display) -> DataError {
    let (origin, detail) = (origin.to_owned(), detail.to_string());
    LayoutError::DamagedArchive {
        origin,
        kind,
        detail,
    }
    .into()
}
