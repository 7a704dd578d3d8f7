//! HEIC: HEVC pictures in HEIF files, as phones make.

use super::file::File;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;

/// Decodes a HEIC file.
///
/// # Errors
/// Always: this build has no decoder for it.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    Err(DataError::ImageNotBuiltIn {
        origin: file.origin.to_owned(),
        format: file.format.name(),
        feature: "heic",
    })
}
