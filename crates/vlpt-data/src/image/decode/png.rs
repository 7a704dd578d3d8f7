//! PNG, with the conversions of Pillow and not those of the decoder.

use super::convert;
use super::file::File;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::Cursor;

/// Decodes a PNG file: the picture itself, not an animation's frames.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let failed = |error: DecodingError| failure(file, &error);
    let limits = Limits {
        bytes: usize::try_from(file.limits.max_bytes).unwrap_or(usize::MAX),
    };
    let mut decoder = Decoder::new_with_limits(Cursor::new(file.bytes), limits);
    decoder.set_transformations(Transformations::IDENTITY);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let mut reader = decoder.read_info().map_err(failed)?;
    let info = reader.info();
    let (width, height) = (info.width, info.height);
    let (colour, depth) = (info.color_type, info.bit_depth);
    file.check_size(u64::from(width), u64::from(height), 8)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| file.damaged("impossible size"))?;
    let mut data = vec![0; size];
    let frame = reader.next_frame(&mut data).map_err(failed)?;
    let pitch = frame.line_size;
    let samples = |bits| convert::unpack(&data, width as usize, pitch, bits);
    let high = |channels: usize| {
        data.chunks_exact(channels * 2)
            .map(|p| (p[0], p[2], p[4]))
            .flat_map(|(r, g, b)| [r, g, b])
    };
    let bits = depth as usize;
    let rgb = match (colour, depth) {
        (ColorType::Grayscale, BitDepth::Sixteen) => convert::grey(
            data.chunks_exact(2)
                .map(|p| file.grey16.eight_bits(u16::from_be_bytes([p[0], p[1]]))),
        ),
        (ColorType::Grayscale, _) => {
            convert::grey(samples(bits).map(|v| v * convert::grey_scale(bits)))
        }
        (ColorType::GrayscaleAlpha, BitDepth::Sixteen) => {
            convert::grey(data.chunks_exact(4).map(|p| p[0]))
        }
        (ColorType::GrayscaleAlpha, _) => convert::grey(data.chunks_exact(2).map(|p| p[0])),
        (ColorType::Indexed, _) => {
            let colours = reader.info().palette.as_deref().unwrap_or_default();
            convert::palette(samples(bits), colours)
        }
        (ColorType::Rgb, BitDepth::Sixteen) => high(3).collect(),
        (ColorType::Rgba, BitDepth::Sixteen) => high(4).collect(),
        (ColorType::Rgba, _) => convert::first_three(&data, 4),
        (ColorType::Rgb, _) => data,
    };
    Ok(RgbImage {
        width,
        height,
        data: rgb,
    })
}

/// Whether the header says 16-bit grey without alpha.
pub(super) fn wide_grey(bytes: &[u8]) -> bool {
    matches!(bytes.get(24..26), Some([16, 0]))
}

fn failure(file: &File<'_>, error: &DecodingError) -> DataError {
    match error {
        DecodingError::IoError(error) => file.reading(error),
        DecodingError::LimitsExceeded => file.unsupported("more memory than the limit"),
        _ => file.damaged(error.to_string()),
    }
}
