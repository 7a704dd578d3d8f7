//! Windows bitmaps: 1, 4, 8 bits with a palette, run-length coded or not, 16, 24 and 32 bits.

use super::convert;
use super::file::File;
use crate::error::Result;
use crate::image::rgb::RgbImage;

/// What the header says.
struct Header {
    width: usize,
    height: usize,
    top_down: bool,
    bits: usize,
    compression: u32,
    /// Bytes of an entry of the palette.
    entry: usize,
    palette_at: usize,
    colours: usize,
    pixels_at: usize,
    /// Bit masks of red, green and blue.
    masks: Option<[u32; 3]>,
}

/// Decodes a BMP file.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let header = header(file)?;
    let (width, height) = (header.width, header.height);
    file.check_size(width as u64, height as u64, 2)?;
    let palette = palette(file, &header)?;
    let mut data = match (header.compression, header.bits) {
        (0 | 3, 1 | 4 | 8) => {
            let (rows, pitch) = rows(file, &header)?;
            convert::palette(convert::unpack(rows, width, pitch, header.bits), &palette)
        }
        (0 | 3, 16 | 24 | 32) => true_colour(file, &header)?,
        (1, 8) | (2, 4) => {
            let pixels = run_length(file, &header)?;
            convert::palette(pixels.into_iter(), &palette)
        }
        (compression, bits) => {
            return Err(file.unsupported(format!("{bits} bits, compression {compression}")));
        }
    };
    if !header.top_down {
        let line = width * 3;
        let (mut low, mut high) = (0, height - 1);
        while low < high {
            let (head, tail) = data.split_at_mut(high * line);
            head[low * line..][..line].swap_with_slice(&mut tail[..line]);
            (low, high) = (low + 1, high - 1);
        }
    }
    Ok(RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    })
}

fn header(file: &File<'_>) -> Result<Header> {
    let pixels_at = u32_at(file, 10)? as usize;
    let size = u32_at(file, 14)? as usize;
    let old = size == 12;
    if !old && !(40..=124).contains(&size) {
        return Err(file.unsupported(format!("a header of {size} bytes")));
    }
    let (width, height, bits) = if old {
        (
            i32::from(u16_at(file, 18)?),
            i32::from(u16_at(file, 20)?),
            u16_at(file, 24)?,
        )
    } else {
        (
            u32_at(file, 18)? as i32,
            u32_at(file, 22)? as i32,
            u16_at(file, 28)?,
        )
    };
    if width < 0 {
        return Err(file.damaged(format!("the header says a width of {width}")));
    }
    let compression = if old { 0 } else { u32_at(file, 30)? };
    let bits = usize::from(bits);
    let said = if old { 0 } else { u32_at(file, 46)? as usize };
    let colours = if said == 0 || said > 256 {
        1 << bits.min(8)
    } else {
        said
    };
    // The masks are part of longer headers, and follow a header of 40 bytes.
    let masks = if compression == 3 {
        Some([u32_at(file, 54)?, u32_at(file, 58)?, u32_at(file, 62)?])
    } else {
        None
    };
    let extra = if compression == 3 && size == 40 {
        12
    } else {
        0
    };
    Ok(Header {
        width: width as usize,
        height: height.unsigned_abs() as usize,
        top_down: height < 0,
        bits,
        compression,
        entry: if old { 3 } else { 4 },
        palette_at: 14 + size + extra,
        colours,
        pixels_at,
        masks,
    })
}

/// The palette as RGB triples; empty for true colour.
fn palette(file: &File<'_>, header: &Header) -> Result<Vec<u8>> {
    if header.bits > 8 {
        return Ok(Vec::new());
    }
    let length = header.colours * header.entry;
    let end = header.palette_at + length;
    let entries = file.bytes.get(header.palette_at..end);
    let entries = entries.ok_or_else(|| file.truncated("the palette is not whole"))?;
    Ok(entries
        .chunks_exact(header.entry)
        .flat_map(|e| [e[2], e[1], e[0]])
        .collect())
}

/// Uncompressed rows and the bytes of each: a multiple of four.
fn rows<'a>(file: &File<'a>, header: &Header) -> Result<(&'a [u8], usize)> {
    let pitch = (header.width * header.bits).div_ceil(32) * 4;
    let needed = pitch * header.height;
    let rows = file.bytes.get(header.pixels_at..).unwrap_or_default();
    match rows.get(..needed) {
        Some(rows) => Ok((rows, pitch)),
        None => Err(file.truncated(format!(
            "{needed} bytes of pixels expected, {} found",
            rows.len()
        ))),
    }
}

fn true_colour(file: &File<'_>, header: &Header) -> Result<Vec<u8>> {
    let (rows, pitch) = rows(file, header)?;
    let bytes = header.bits / 8;
    let lines = rows
        .chunks_exact(pitch)
        .map(|row| &row[..header.width * bytes]);
    let pixels = lines.flat_map(|row| row.chunks_exact(bytes));
    if header.bits == 16 {
        let green: (u32, u32) = match header.masks {
            None | Some([0x7c00, 0x03e0, 0x001f]) => (10, 31),
            Some([0xf800, 0x07e0, 0x001f]) => (11, 63),
            Some(masks) => return Err(file.unsupported(format!("colour masks {masks:x?}"))),
        };
        let (red_shift, green_most) = green;
        return Ok(pixels
            .flat_map(|p| {
                let value = u32::from(u16::from_le_bytes([p[0], p[1]]));
                let red = ((value >> red_shift) & 31) * 255 / 31;
                let green = ((value >> 5) & green_most) * 255 / green_most;
                [red as u8, green as u8, ((value & 31) * 255 / 31) as u8]
            })
            .collect());
    }
    let order = match header.masks {
        None => [2, 1, 0],
        Some(masks) => {
            let byte = |mask: u32| (0..bytes).find(|&b| mask == 0xff << (8 * b));
            match masks.map(byte) {
                [Some(r), Some(g), Some(b)] => [r, g, b],
                _ => return Err(file.unsupported(format!("colour masks {masks:x?}"))),
            }
        }
    };
    Ok(pixels.flat_map(|p| order.map(|b| p[b])).collect())
}

/// Run-length coded indices, rows from the bottom as stored.
fn run_length(file: &File<'_>, header: &Header) -> Result<Vec<u8>> {
    let (width, needed) = (header.width, header.width * header.height);
    let mut input = file
        .bytes
        .get(header.pixels_at..)
        .unwrap_or_default()
        .iter()
        .copied();
    let mut pixels: Vec<u8> = Vec::with_capacity(needed);
    let mut consumed = 0_usize;
    let half = |byte: u8, index: usize| {
        if index.is_multiple_of(2) {
            byte >> 4
        } else {
            byte & 15
        }
    };
    let short = || file.truncated("the run-length coded pixels end early");
    let mut next = |consumed: &mut usize| {
        *consumed += 1;
        input.next().ok_or_else(short)
    };
    while pixels.len() < needed {
        let (count, byte) = (usize::from(next(&mut consumed)?), next(&mut consumed)?);
        let column = pixels.len() % width;
        match (count, byte) {
            (0, 0) => pixels.resize(pixels.len().next_multiple_of(width), 0),
            (0, 1) => break,
            (0, 2) => {
                let (right, up) = (next(&mut consumed)?, next(&mut consumed)?);
                let skipped = usize::from(right) + usize::from(up) * width;
                pixels.resize((pixels.len() + skipped).min(needed), 0);
            }
            (0, _) if header.bits == 4 => {
                for index in 0..usize::from(byte).div_ceil(2) {
                    let two = next(&mut consumed)?;
                    pixels.push(two >> 4);
                    if index * 2 + 1 < usize::from(byte) {
                        pixels.push(two & 15);
                    }
                }
            }
            (0, _) => {
                for _ in 0..byte {
                    pixels.push(next(&mut consumed)?);
                }
            }
            _ => {
                // A run does not go past the end of its row.
                let count = count.min(width - column);
                let four = header.bits == 4;
                pixels.extend((0..count).map(|i| if four { half(byte, i) } else { byte }));
            }
        }
        if count == 0 && byte > 2 && consumed % 2 == 1 {
            next(&mut consumed)?;
        }
    }
    if pixels.len() < needed {
        return Err(short());
    }
    pixels.truncate(needed);
    Ok(pixels)
}

fn u16_at(file: &File<'_>, at: usize) -> Result<u16> {
    let bytes = file
        .bytes
        .get(at..at + 2)
        .ok_or_else(|| file.truncated("no whole header"))?;
    Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
}

fn u32_at(file: &File<'_>, at: usize) -> Result<u32> {
    Ok(u32::from(u16_at(file, at)?) | u32::from(u16_at(file, at + 2)?) << 16)
}
