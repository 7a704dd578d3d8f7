//! Stored samples to 8-bit RGB, as Pillow's unpackers and its `convert("RGB")`.

use super::layout::{Kind, Layout};
use crate::error::Result;
use crate::image::decode::convert;
use crate::image::decode::file::File;
use tiff::decoder::DecodingResult;

/// Pixels of a page whose samples lie side by side.
pub(super) fn to_rgb(
    file: &File<'_>,
    layout: &Layout,
    samples: DecodingResult,
    width: usize,
    colours: Option<&[u64]>,
) -> Result<Vec<u8>> {
    use DecodingResult as R;
    let n = layout.samples;
    let wide = |v: i64| v.clamp(0, 255) as u8;
    Ok(match (layout.kind, samples) {
        (Kind::Grey { inverted }, data) => {
            let data = bytes(file, data)?;
            let flip = if inverted { 255 } else { 0 };
            if n > 1 {
                return Ok(convert::grey(data.chunks_exact(n).map(|p| p[0] ^ flip)));
            }
            let bits = layout.bits;
            let pitch = (width * bits).div_ceil(8);
            let values = convert::unpack(&data, width, pitch, bits);
            convert::grey(values.map(|v| (v * convert::grey_scale(bits)) ^ flip))
        }
        (Kind::Palette, data) => {
            let data = bytes(file, data)?;
            let colours = triples(colours.unwrap_or_default());
            if n > 1 {
                return Ok(convert::palette(
                    data.chunks_exact(n).map(|p| p[0]),
                    &colours,
                ));
            }
            let pitch = (width * layout.bits).div_ceil(8);
            convert::palette(convert::unpack(&data, width, pitch, layout.bits), &colours)
        }
        (Kind::WideGrey, R::U16(data)) => {
            convert::grey(data.into_iter().map(|v| file.grey16.eight_bits(v)))
        }
        (Kind::WideGrey, R::I16(data)) => convert::grey(data.into_iter().map(|v| wide(v.into()))),
        // Pillow holds whole numbers with a sign, without a sign or not
        (Kind::WideGrey, R::U32(data)) => {
            convert::grey(data.into_iter().map(|v| wide((v as i32).into())))
        }
        (Kind::WideGrey, R::I32(data)) => convert::grey(data.into_iter().map(|v| wide(v.into()))),
        (Kind::WideGrey, R::F32(data)) => convert::grey(data.into_iter().map(|v| v as u8)),
        (Kind::Rgb, data) => convert::first_three(&bytes(file, data)?, n),
        (Kind::Multiplied, data) => unmultiply(&bytes(file, data)?, n),
        (Kind::Cmyk, data) => {
            let data = bytes(file, data)?;
            convert::cmyk(data.chunks_exact(n).map(|p| [p[0], p[1], p[2], p[3]]))
        }
        (Kind::WideGrey, _) => return Err(file.unsupported("grey of an unknown kind")),
    })
}

/// Samples of 8 bits; of 16 bits the high bytes.
fn bytes(file: &File<'_>, samples: DecodingResult) -> Result<Vec<u8>> {
    Ok(match samples {
        DecodingResult::U8(data) => data,
        DecodingResult::I8(data) => data.into_iter().map(|v| v as u8).collect(),
        DecodingResult::U16(data) => data.into_iter().map(|v| (v >> 8) as u8).collect(),
        _ => return Err(file.unsupported("samples of an unknown kind")),
    })
}

/// A colour map (all reds, all greens, all blues, 16 bits each) as RGB triples of the high bytes.
fn triples(map: &[u64]) -> Vec<u8> {
    let third = map.len() / 3;
    let triples = (0..third).flat_map(|i| [map[i], map[third + i], map[2 * third + i]]);
    triples.map(|v| (v >> 8) as u8).collect()
}

/// Colours stored multiplied by alpha are divided by it, as Pillow's unpacker does.
fn unmultiply(data: &[u8], samples: usize) -> Vec<u8> {
    let divide = |v: u8, alpha: u8| (u32::from(v) * 255 / u32::from(alpha)).min(255) as u8;
    data.chunks_exact(samples)
        .flat_map(|p| match p[3] {
            0 => [0; 3],
            alpha => [p[0], p[1], p[2]].map(|v| divide(v, alpha)),
        })
        .collect()
}
