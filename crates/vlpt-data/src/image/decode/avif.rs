//! AVIF: AV1 pictures in HEIF files.

use super::file::File;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;

/// Decodes an AVIF file.
///
/// # Errors
/// Always: this build has no decoder for it.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    Err(DataError::ImageNotBuiltIn {
        origin: file.origin.to_owned(),
        format: file.format.name(),
        feature: "avif",
    })
}
