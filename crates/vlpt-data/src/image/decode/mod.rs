//! Image bytes to 8-bit RGB, as Pillow's `Image.open(...).convert("RGB")`.
//!
//! The format is told by content. Alpha is dropped and never composited, 16-bit colour keeps its
//! high byte, 16-bit grey is clipped at 255, CMYK goes through Pillow's formula. The table of
//! decisions is in `docs/reference/images.md`.

mod bmp;
mod budget;
mod convert;
mod file;
mod gif;
#[cfg(feature = "heic")]
mod heic;
mod jpeg;
mod orientation;
mod png;
mod pnm;
mod sniff;
mod tiff;
mod webp;

use std::cell::RefCell;

pub use budget::{DEFAULT_MEMORY_BUDGET, set_memory_budget, set_memory_ceiling};
pub use file::Limits;
pub use sniff::{ImageFormat, format_of};

use super::rgb::RgbImage;
use super::settings::{Exif, Grey16};
use crate::error::{DataError, Result};
use file::File;

/// Formats that are decoded, and formats that are only recognised, by their names.
#[cfg(not(feature = "heic"))]
pub const FORMATS: (&[&str], &[&str]) = (
    &["JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "PNM"],
    &["HEIC", "AVIF"],
);
/// Formats that are decoded, and formats that are only recognised, by their names.
#[cfg(feature = "heic")]
pub const FORMATS: (&[&str], &[&str]) = (
    &["JPEG", "PNG", "WebP", "BMP", "GIF", "TIFF", "PNM", "HEIC"],
    &["AVIF"],
);

/// What [`decode_with`] does beside plain decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DecodeOptions {
    /// Limits on size.
    pub limits: Limits,
    /// Whether a turn in EXIF data is applied. The orientation of a TIFF or a HEIC itself is always applied, as Pillow
    /// does on loading.
    pub exif: Exif,
    /// How grey of 16 bits becomes 8.
    pub grey16: Grey16,
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
    decode_then(bytes, origin, options, |image| image)
}

/// Decodes image bytes to RGB and does some work on the pixels. The pixels count against the memory for decoding
/// ([`set_memory_budget`]) until the work is done, so it should make them smaller, and must decode no other image.
///
/// # Errors
/// As [`decode`].
pub fn decode_then<T>(
    bytes: &[u8],
    origin: &str,
    options: &DecodeOptions,
    work: impl FnOnce(RgbImage) -> T,
) -> Result<T> {
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
    let whole;
    let file = File {
        bytes: if format == ImageFormat::Bmp && sniff::is_dib(bytes) {
            whole = [&bmp::FILE_HEADER[..], bytes].concat();
            &whole
        } else {
            bytes
        },
        origin,
        format,
        limits: options.limits,
        grey16: options.grey16,
        share: RefCell::new(None),
    };
    // A decoder that panics on some input we have not met must not end the program.
    let image = crate::quiet::catch(|| match format {
        ImageFormat::Jpeg => jpeg::decode(&file, options.accept_damaged),
        ImageFormat::Png => png::decode(&file),
        ImageFormat::WebP => webp::decode(&file),
        ImageFormat::Bmp => bmp::decode(&file),
        ImageFormat::Gif => gif::decode(&file),
        ImageFormat::Tiff => tiff::decode(&file),
        ImageFormat::Pnm => pnm::decode(&file),
        #[cfg(feature = "heic")]
        ImageFormat::Heic => heic::decode(&file),
        #[cfg(not(feature = "heic"))]
        ImageFormat::Heic => Err(file.no_decoder(
            "`sips -s format jpeg` on a Mac or `heif-convert` elsewhere",
            Some("heic"),
        )),
        ImageFormat::Avif => Err(file.no_decoder("`avifdec`", None)),
    })
    .unwrap_or_else(|| Err(file.damaged("the decoder gave up")))?;
    if let Some(share) = file.share.borrow_mut().as_mut() {
        // Turning an image takes a second copy of it.
        let copies = if options.exif == Exif::Apply { 2 } else { 1 };
        share.shrink(image.data.len() as u64 * copies);
    }
    let image = match (options.exif, format) {
        // A TIFF's and a HEIC's own turn is applied already.
        (Exif::Ignore, _) | (_, ImageFormat::Tiff | ImageFormat::Heic) => image,
        (Exif::Apply, _) => orientation::apply(image, orientation::read_exif(bytes)),
    };
    Ok(work(image))
}

/// The EXIF orientation of an encoded image, 1 where there is none.
pub(super) fn orientation_of(bytes: &[u8]) -> u32 {
    orientation::read_exif(bytes)
}

/// Whether an encoded image is grey of more than 8 bits, by its header.
pub(super) fn wide_grey(bytes: &[u8], format: ImageFormat) -> bool {
    match format {
        ImageFormat::Png => png::wide_grey(bytes),
        ImageFormat::Tiff => tiff::wide_grey(bytes),
        ImageFormat::Pnm => pnm::wide_grey(bytes),
        _ => false,
    }
}
