//! WebP, lossy and lossless; of an animation the first frame, as libwebp's animation decoder gives it.

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
    let unblended = without_blending(file.bytes);
    let bytes = unblended.as_deref().unwrap_or(file.bytes);
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(failed)?;
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

/// A copy of an animation whose first frame asks to be blended with what lies below it, without that request: there
/// is nothing below, and libwebp takes the frame's pixels as they are. `None` for other files.
fn without_blending(bytes: &[u8]) -> Option<Vec<u8>> {
    /// Within a frame's chunk: the byte of flags, behind place, size and duration.
    const FLAGS: usize = 8 + 15;
    const DO_NOT_BLEND: u8 = 2;
    let mut at = 12;
    while let Some(head) = bytes.get(at..at + 8) {
        if &head[..4] == b"ANMF" {
            let flags = at + FLAGS;
            if bytes.get(flags)? & DO_NOT_BLEND != 0 {
                return None;
            }
            let mut copy = bytes.to_vec();
            copy[flags] |= DO_NOT_BLEND;
            return Some(copy);
        }
        let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
        at = (length as usize).checked_add(at + 8)?.next_multiple_of(2);
    }
    None
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
