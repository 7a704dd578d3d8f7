//! Image bytes to 8-bit RGB, as Pillow's `Image.open(...).convert("RGB")`.
//!
//! The format is told by content. Alpha is dropped and never composited, 16-bit colour keeps its
//! high byte, 16-bit grey is clipped at 255, CMYK goes through Pillow's formula. The table of
//! decisions is in `docs/reference/images.md`.

mod bmp;
mod convert;
mod gif;
mod jpeg;
mod orientation;
mod png;
mod sniff;
mod tiff;
mod webp;

pub use sniff::{ImageFormat, format_of};

use super::RgbImage;
use crate::{DataError, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Limits that are checked against the header, before anything is allocated for pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest `width * height`.
    pub max_pixels: u64,
    /// Largest number of bytes that decoding may hold at once, in pixels and work buffers.
    pub max_bytes: u64,
}

impl Default for Limits {
    /// 178,956,970 pixels (where Pillow refuses) and 2 GiB.
    fn default() -> Self {
        Self {
            max_pixels: 178_956_970,
            max_bytes: 2 << 30,
        }
    }
}

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
        return Ok(orientation::apply(image, orientation::of_exif(bytes)));
    }
    Ok(image)
}

/// An image file being decoded: where errors come from.
struct File<'a> {
    bytes: &'a [u8],
    origin: &'a str,
    format: ImageFormat,
    limits: Limits,
}

impl File<'_> {
    /// Checks a header's size against the limits: `work` is the bytes held per pixel beside the
    /// three of the result.
    fn check_size(&self, width: u64, height: u64, work: u64) -> Result<()> {
        if width == 0 || height == 0 {
            return Err(self.damaged(format!("the header says {width} x {height} pixels")));
        }
        let too_large = |what: &str, limit| DataError::ImageTooLarge {
            origin: self.origin.to_owned(),
            width,
            height,
            what: what.to_owned(),
            limit,
        };
        let pixels = width.saturating_mul(height);
        if pixels > self.limits.max_pixels {
            return Err(too_large("more pixels than", self.limits.max_pixels));
        }
        if pixels.saturating_mul(work + 3) > self.limits.max_bytes {
            return Err(too_large(
                "more bytes while decoding than",
                self.limits.max_bytes,
            ));
        }
        Ok(())
    }

    fn truncated(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::TruncatedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    fn damaged(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::DamagedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    fn unsupported(&self, detail: impl Into<String>) -> DataError {
        let (origin, format) = (self.origin.to_owned(), self.format.name());
        DataError::UnsupportedImage {
            origin,
            format,
            detail: detail.into(),
        }
    }

    /// An I/O error of a decoder that reads from memory: the end of the data, or nonsense.
    fn reading(&self, error: &std::io::Error) -> DataError {
        if error.kind() == std::io::ErrorKind::UnexpectedEof {
            self.truncated(format!("the file ends after {} bytes", self.bytes.len()))
        } else {
            self.damaged(error.to_string())
        }
    }
}
