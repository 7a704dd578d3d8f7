//! WebP, lossy and lossless; of an animation the first frame.

use super::convert;
use super::file::File;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use image_webp::{DecodingError, WebPDecoder};
use std::io::Cursor;

/// Decodes a WebP file.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let declared = u32::from_le_bytes([file.bytes[4], file.bytes[5], file.bytes[6], file.bytes[7]]);
    let expected = u64::from(declared) + 8;
    if expected > file.bytes.len() as u64 {
        return Err(file.truncated(format!(
            "the header says {expected} bytes, the file has {}",
            file.bytes.len()
        )));
    }
    let failed = |error: DecodingError| failure(file, &error);
    let mut decoder = WebPDecoder::new(Cursor::new(file.bytes)).map_err(failed)?;
    let (width, height) = decoder.dimensions();
    file.check_size(u64::from(width), u64::from(height), 8)?;
    decoder.set_memory_limit(usize::try_from(file.limits.max_bytes).unwrap_or(usize::MAX));
    let size = decoder
        .output_buffer_size()
        .ok_or_else(|| file.damaged("impossible size"))?;
    let mut data = vec![0; size];
    decoder.read_image(&mut data).map_err(failed)?;
    let data = if decoder.has_alpha() {
        convert::first_three(&data, 4)
    } else {
        data
    };
    Ok(RgbImage {
        width,
        height,
        data,
    })
}

fn failure(file: &File<'_>, error: &DecodingError) -> DataError {
    match error {
        DecodingError::IoError(error) => file.reading(error),
        DecodingError::MemoryLimitExceeded | DecodingError::ImageTooLarge => {
            file.unsupported("more memory than the limit")
        }
        DecodingError::UnsupportedFeature(what) => file.unsupported(what),
        _ => file.damaged(error.to_string()),
    }
}
