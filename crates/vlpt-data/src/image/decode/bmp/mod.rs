//! Windows bitmaps: 1, 4, 8 bits with a palette, run-length coded or not, 16, 24 and 32 bits.

mod run_length;

use super::convert;
use super::file::File;
use crate::error::Result;
use crate::image::rgb::RgbImage;

/// What stands before the header in a file and not in a device-independent bitmap: the pixels follow the palette.
pub(super) const FILE_HEADER: [u8; 14] = *b"BM\0\0\0\0\0\0\0\0\0\0\0\0";

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
    /// Bit masks of red, green and blue, and of alpha.
    masks: Option<([u32; 3], u32)>,
}

/// Decodes a BMP file.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let header = header(file)?;
    let (width, height) = (header.width, header.height);
    file.check_size(width as u64, height as u64, 2)?;
    let palette = palette(file, &header)?;
    if matches!(header.bits, 4 | 8) && palette == [0, 0, 0, 255, 255, 255] {
        let what = format!(
            "{} bits with a palette of black and white alone",
            header.bits
        );
        return Err(file.unsupported(format!("{what}, which Pillow takes for 1 bit")));
    }
    let mut data = match (header.compression, header.bits) {
        (0, 1 | 4 | 8) => {
            let (rows, pitch) = rows(file, &header)?;
            convert::palette(convert::unpack(rows, width, pitch, header.bits), &palette)
        }
        (0 | 3, 16 | 24 | 32) => true_colour(file, &header)?,
        (1, 8) | (2, 4) => {
            let pixels = run_length::unpack(file, &header)?;
            convert::palette(pixels.into_iter(), &palette)
        }
        (compression, bits) => {
            let name = match (compression, bits) {
                (3, 1) => "OS/2 Huffman coding",
                (3, _) => "colour masks",
                (4, 24) => "OS/2 run lengths of 24 bits",
                (4, _) => "JPEG inside BMP",
                (5, _) => "PNG inside BMP",
                _ => "an unknown combination",
            };
            let what = format!("{name} ({bits} bits, compression {compression})");
            return Err(file.unsupported(what));
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
    // Windows 3, its versions with masks, OS/2 2, Windows 4 and 5
    if !old && ![40, 52, 56, 64, 108, 124].contains(&size) {
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
    let colours = if said == 0 { 1 << bits.min(8) } else { said };
    if bits <= 8 && colours > 256 {
        return Err(file.unsupported(format!("a palette of {colours} colours")));
    }
    // The masks are part of longer headers, and follow a header of 40 bytes. Only the longer ones have one of alpha.
    let masks = if compression == 3 {
        let alpha = if size >= 56 { u32_at(file, 66)? } else { 0 };
        let colours = [u32_at(file, 54)?, u32_at(file, 58)?, u32_at(file, 62)?];
        Some((colours, alpha))
    } else {
        None
    };
    let extra = if compression == 3 && size == 40 {
        12
    } else {
        0
    };
    let entry = if old { 3 } else { 4 };
    let palette_at = 14 + size + extra;
    // As Pillow: pixels that would lie on the palette lie behind it.
    let behind = palette_at + if bits <= 8 { colours * entry } else { 0 };
    let pixels_at = match pixels_at {
        0 => behind,
        at if at == 14 + size && bits <= 8 => at + 4 * colours,
        at => at,
    };
    Ok(Header {
        width: width as usize,
        height: height.unsigned_abs() as usize,
        top_down: height < 0,
        bits,
        compression,
        entry,
        palette_at,
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
            None | Some(([0x7c00, 0x03e0, 0x001f], _)) => (10, 31),
            Some(([0xf800, 0x07e0, 0x001f], _)) => (11, 63),
            Some((masks, _)) => return Err(file.unsupported(format!("colour masks {masks:x?}"))),
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
        Some(masks) => byte_order(bytes, masks)
            .ok_or_else(|| file.unsupported(format!("colour masks {masks:x?}")))?,
    };
    Ok(pixels.flat_map(|p| order.map(|b| p[b])).collect())
}

/// Places of red, green and blue among the bytes of a pixel, for the masks that Pillow knows.
fn byte_order(bytes: usize, (colours, alpha): ([u32; 3], u32)) -> Option<[usize; 3]> {
    const BYTES: [u32; 4] = [0xff, 0xff00, 0x00ff_0000, 0xff00_0000];
    let place = |mask: u32| BYTES.iter().position(|byte| *byte == mask);
    let order = match (bytes, colours) {
        (4, [0, 0, 0]) if alpha == 0 => return Some([2, 1, 0]),
        (_, [r, g, b]) => [place(r)?, place(g)?, place(b)?],
    };
    let known = match (bytes, order) {
        (3, [2, 1, 0]) => true,
        (4, [2, 1, 0]) => alpha == 0 || alpha == BYTES[3],
        (4, [3, 2, 1]) => alpha == 0 || alpha == BYTES[0],
        (4, [3, 1, 0]) => alpha == 0 || alpha == BYTES[2],
        (4, [0, 1, 2]) => alpha == BYTES[3],
        _ => false,
    };
    known.then_some(order)
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
