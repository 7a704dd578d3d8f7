//! Image bytes to 8-bit RGB, as Pillow's `Image.open(...).convert("RGB")`.
//!
//! The format is told by content. Alpha is dropped and never composited, 16-bit colour keeps its
//! high byte, 16-bit grey is clipped at 255, CMYK goes through Pillow's formula. The table of
//! decisions is in `docs/reference/images.md`.

mod bmp;
mod convert;
mod file;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod sniff;
mod tiff;
mod webp;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use file::Limits;
pub use orientation::read_exif as exif_orientation;
pub use sniff::{ImageFormat, format_of};

use super::rgb::RgbImage;
use crate::error::{DataError, Result};
use file::File;

/// What [`decode_with`] does beside plain decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeOptions {
    /// Limits on size.
    pub limits: Limits,
    /// Whether the EXIF orientation is applied, as Pillow's `ImageOps.exif_transpose` does. Off by
    /// default, because `convert("RGB")` and torchvision's loader ignore it. A TIFF's own
    /// orientation is always applied, as Pillow does on loading.
    pub exif_orientation: bool,
    /// Whether JPEG data with recoverable errors gives what libjpeg makes of it, as in Pillow,
    /// instead of an error. A truncated file stays an error, as in Pillow.
    pub accept_damaged: bool,
}

/// Decodes image bytes to RGB with the default options and the given limits.
///
/// `origin` names the file or archive member in errors.
///
/// # Errors
/// Empty, unknown, truncated, damaged, unsupported or too large images, each with its own variant.
pub fn decode(bytes: &[u8], origin: &str, limits: &Limits) -> Result<RgbImage> {
    decode_with(
        bytes,
        origin,
        &DecodeOptions {
            limits: *limits,
            ..DecodeOptions::default()
        },
    )
}

/// Decodes image bytes to RGB.
///
/// # Errors
/// As [`decode`].
pub fn decode_with(bytes: &[u8], origin: &str, options: &DecodeOptions) -> Result<RgbImage> {
    if bytes.is_empty() {
        return Err(DataError::EmptyImage {
            origin: origin.to_owned(),
        });
    }
    let Some(format) = format_of(bytes) else {
        let found = sniff::describe(bytes);
        return Err(DataError::NotAnImage {
            origin: origin.to_owned(),
            found,
        });
    };
    let file = File {
        bytes,
        origin,
        format,
        limits: options.limits,
    };
    // A decoder that panics on some input we have not met must not end the program.
    let image = catch_unwind(AssertUnwindSafe(|| match format {
        ImageFormat::Jpeg => jpeg::decode(&file, options.accept_damaged),
        ImageFormat::Png => png::decode(&file),
        ImageFormat::WebP => webp::decode(&file),
        ImageFormat::Bmp => bmp::decode(&file),
        ImageFormat::Gif => gif::decode(&file),
        ImageFormat::Tiff => tiff::decode(&file),
    }))
    .unwrap_or_else(|_| Err(file.damaged("the decoder gave up")))?;
    if options.exif_orientation && format != ImageFormat::Tiff {
        return Ok(orientation::apply(image, orientation::read_exif(bytes)));
    }
    Ok(image)
}
