//! TIFF: the first page, with the conversions of Pillow.

use super::file::File;
use super::{convert, orientation};
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use std::io::Cursor;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffError};

/// The value of the compression tag for JPEG, old and new.
const JPEG: [u32; 2] = [6, 7];

/// Decodes the first page of a TIFF file and turns it as its orientation tag says.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let failed = |error: TiffError| failure(file, error);
    let mut limits = Limits::default();
    let most = usize::try_from(file.limits.max_bytes).unwrap_or(usize::MAX);
    limits.decoding_buffer_size = most;
    limits.intermediate_buffer_size = most;
    let indexed = as_grey(file.bytes);
    let bytes = indexed.as_deref().unwrap_or(file.bytes);
    let decoder = Decoder::new(Cursor::new(bytes)).map_err(failed)?;
    let mut decoder = decoder.with_limits(limits);
    let (width, height) = decoder.dimensions().map_err(failed)?;
    file.check_size(u64::from(width), u64::from(height), 8)?;
    let number = |decoder: &mut Decoder<_>, tag, otherwise: u32| {
        decoder
            .find_tag_unsigned::<u32>(tag)
            .map(|v| v.unwrap_or(otherwise))
    };
    if JPEG.contains(&number(&mut decoder, Tag::Compression, 1).map_err(failed)?) {
        return Err(file.unsupported("JPEG compression inside TIFF"));
    }
    let turn = number(&mut decoder, Tag::Orientation, 1).map_err(failed)?;
    let colour = decoder.colortype().map_err(failed)?;
    let map = decoder
        .find_tag_unsigned_vec::<u16>(Tag::ColorMap)
        .map_err(failed)?;
    let extra = decoder
        .find_tag_unsigned_vec::<u16>(Tag::ExtraSamples)
        .map_err(failed)?;
    let pixels = decoder.read_image().map_err(failed)?;
    let premultiplied = extra.is_some_and(|kinds| kinds.first() == Some(&1));
    let data = to_rgb(
        file,
        colour,
        pixels,
        width as usize,
        map.as_deref(),
        premultiplied,
    )?;
    if data.len() != width as usize * height as usize * 3 {
        return Err(file.truncated("fewer pixels than the header says"));
    }
    Ok(orientation::apply(
        RgbImage {
            width,
            height,
            data,
        },
        turn,
    ))
}

fn to_rgb(
    file: &File<'_>,
    colour: ColorType,
    pixels: DecodingResult,
    width: usize,
    map: Option<&[u16]>,
    premultiplied: bool,
) -> Result<Vec<u8>> {
    let data = match (colour, pixels) {
        (ColorType::Gray(bits @ (1 | 2 | 4 | 8)), DecodingResult::U8(data)) => {
            let bits = usize::from(bits);
            let pitch = (width * bits).div_ceil(8);
            let samples = convert::unpack(&data, width, pitch, bits);
            match map {
                Some(map) => convert::palette(samples, &colours(map)),
                None => convert::grey(samples.map(|v| v * convert::grey_scale(bits))),
            }
        }
        (ColorType::Gray(16), DecodingResult::U16(data)) => {
            convert::grey(data.into_iter().map(convert::clip16))
        }
        (ColorType::Gray(32), DecodingResult::F32(data)) => {
            convert::grey(data.into_iter().map(|v| v as u8))
        }
        (ColorType::RGB(8), DecodingResult::U8(data)) => data,
        (ColorType::RGBA(8), DecodingResult::U8(data)) if premultiplied => unmultiply(&data),
        (ColorType::RGBA(8), DecodingResult::U8(data)) => convert::first_three(&data, 4),
        (ColorType::RGB(16), DecodingResult::U16(data)) => high_bytes(&data),
        (ColorType::RGBA(16), DecodingResult::U16(data)) if !premultiplied => {
            convert::first_three(&high_bytes(&data), 4)
        }
        (ColorType::CMYK(8), DecodingResult::U8(data)) => {
            convert::cmyk(data.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]))
        }
        (ColorType::CMYK(16), DecodingResult::U16(data)) => {
            let data = high_bytes(&data);
            convert::cmyk(data.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]))
        }
        (
            ColorType::Multiband {
                bit_depth: 8,
                num_samples: 2,
            },
            DecodingResult::U8(data),
        ) => convert::grey(data.chunks_exact(2).map(|p| p[0])),
        (colour, _) => return Err(file.unsupported(format!("pixels of kind {colour:?}"))),
    };
    Ok(data)
}

/// A copy of a file with a palette that calls its indices grey, because the decoder knows no
/// palettes; `None` for other files. Only the first page of a classic TIFF is looked at.
fn as_grey(bytes: &[u8]) -> Option<Vec<u8>> {
    const PHOTOMETRIC: u16 = 262;
    const PALETTE: u16 = 3;
    let little = bytes.first() == Some(&b'I');
    let short = |at: usize| {
        let two: [u8; 2] = bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little {
            u16::from_le_bytes(two)
        } else {
            u16::from_be_bytes(two)
        })
    };
    let (first, second) = (usize::from(short(4)?), usize::from(short(6)?));
    let directory = if little {
        second << 16 | first
    } else {
        first << 16 | second
    };
    let entries = (0..usize::from(short(directory)?)).map(|i| directory + 2 + i * 12);
    let mut entries = entries.filter(|&at| short(at) == Some(PHOTOMETRIC));
    let value = entries.next()? + 8;
    if short(2)? != 42 || short(value)? != PALETTE {
        return None;
    }
    let mut copy = bytes.to_vec();
    copy[value + usize::from(!little)] = 1;
    Some(copy)
}

/// A colour map (all reds, all greens, all blues, 16 bits each) as RGB triples of the high bytes.
fn colours(map: &[u16]) -> Vec<u8> {
    let third = map.len() / 3;
    let triples = (0..third).flat_map(|i| [map[i], map[third + i], map[2 * third + i]]);
    triples.map(|v| (v >> 8) as u8).collect()
}

fn high_bytes(data: &[u16]) -> Vec<u8> {
    data.iter().map(|v| (v >> 8) as u8).collect()
}

/// Colours stored multiplied by alpha are divided by it, as Pillow's unpacker does.
fn unmultiply(data: &[u8]) -> Vec<u8> {
    let divide = |v: u8, alpha: u8| (u32::from(v) * 255 / u32::from(alpha)).min(255) as u8;
    data.chunks_exact(4)
        .flat_map(|p| match p[3] {
            0 => [0; 3],
            alpha => [p[0], p[1], p[2]].map(|v| divide(v, alpha)),
        })
        .collect()
}

fn failure(file: &File<'_>, error: TiffError) -> DataError {
    match error {
        TiffError::IoError(error) => file.reading(&error),
        TiffError::LimitsExceeded => file.unsupported("more memory than the limit"),
        TiffError::UnsupportedError(what) => file.unsupported(what.to_string()),
        TiffError::FormatError(what) => file.damaged(what.to_string()),
        other => file.damaged(other.to_string()),
    }
}
