//! Netpbm: PBM, PGM and PPM, in text and in bytes, read as Pillow reads them.
//!
//! Samples become 8 bits by `round(v / most * 255)`, halves to even. Grey with more than 8 bits becomes 16 bits first
//! (`round(v / most * 65535)`) and is then treated as other 16-bit grey.

use super::convert;
use super::file::File;
use crate::error::Result;
use crate::image::rgb::RgbImage;

/// Longest number that is read, in digits; Pillow's limit.
const LONGEST: usize = 10;

/// Decodes a Netpbm file, the first picture where there are several.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let kind = file.bytes[1];
    let mut header = Header {
        bytes: file.bytes,
        at: 3,
    };
    let mut number = |what: &str| {
        header.number().map_err(|found| match &*found {
            "" => file.truncated(format!("no {what} in the header")),
            found => file.damaged(format!("the header says `{found}` for the {what}")),
        })
    };
    let (width, height) = (number("width")?, number("height")?);
    let most = match kind {
        b'1' | b'4' => 1,
        _ => number("largest value")?,
    };
    if most == 0 || most > 65535 {
        return Err(file.damaged(format!(
            "the header says a largest value of {most}, expected 1 to 65535"
        )));
    }
    file.check_size(width, height, 8)?;
    let (width, height) = (width as usize, height as usize);
    let rest = file.bytes.get(header.at..).unwrap_or_default();
    let channels = if matches!(kind, b'3' | b'6') { 3 } else { 1 };
    let count = width * height * channels;
    let most = most as u32;
    let data = match kind {
        b'1' => convert::grey(bits_in_text(file, rest, count)?.into_iter()),
        b'4' => {
            let pitch = width.div_ceil(8);
            let rows = whole(file, rest, pitch * height)?;
            let bits = convert::unpack(rows, width, pitch, 1);
            convert::grey(bits.map(|bit| 255 * (1 - bit)))
        }
        b'2' | b'3' => {
            let values = numbers_in_text(file, rest, count, most)?;
            samples(file, values.into_iter(), most, channels)
        }
        _ if most < 256 => {
            let bytes = whole(file, rest, count)?;
            samples(file, bytes.iter().map(|&b| u32::from(b)), most, channels)
        }
        _ => {
            let pairs = whole(file, rest, count * 2)?.chunks_exact(2);
            let values = pairs.map(|p| u32::from(u16::from_be_bytes([p[0], p[1]])));
            samples(file, values, most, channels)
        }
    };
    Ok(RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    })
}

/// Whether the header says grey of more than 8 bits.
pub(super) fn wide_grey(bytes: &[u8]) -> bool {
    let mut header = Header { bytes, at: 3 };
    let numbers = [(); 3].map(|()| header.number());
    matches!((bytes.get(1), &numbers[2]), (Some(b'2' | b'5'), Ok(256..)))
}

/// Samples up to `most` as 8-bit RGB.
fn samples(
    file: &File<'_>,
    values: impl Iterator<Item = u32>,
    most: u32,
    channels: usize,
) -> Vec<u8> {
    let scaled = |value: u32, full: f64| {
        let exact = f64::from(value) / f64::from(most) * full;
        exact.round_ties_even().min(full)
    };
    if channels == 3 {
        return values.map(|v| scaled(v, 255.0) as u8).collect();
    }
    if most < 256 {
        return convert::grey(values.map(|v| scaled(v, 255.0) as u8));
    }
    let grey16 = file.grey16;
    convert::grey(values.map(|v| grey16.eight_bits(scaled(v, 65535.0) as u16)))
}

fn whole<'a>(file: &File<'_>, rest: &'a [u8], needed: usize) -> Result<&'a [u8]> {
    rest.get(..needed).ok_or_else(|| {
        file.truncated(format!(
            "{needed} bytes of pixels expected, {} found",
            rest.len()
        ))
    })
}

/// The header's numbers. A comment runs from `#` to the end of its line, and may stand inside a number.
struct Header<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Header<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = self.bytes.get(self.at).copied();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// The next number, or what stands there instead: nothing at the end of the file.
    fn number(&mut self) -> std::result::Result<u64, String> {
        let mut digits = String::new();
        while digits.len() <= LONGEST {
            match self.byte() {
                None => break,
                Some(byte) if is_space(byte) => {
                    if !digits.is_empty() {
                        break;
                    }
                }
                Some(b'#') => while !matches!(self.byte(), None | Some(b'\r' | b'\n')) {},
                Some(byte) => digits.push(char::from(byte)),
            }
        }
        let number = digits.parse().ok().filter(|_| digits.len() <= LONGEST);
        number.ok_or(digits)
    }
}

/// Python's ASCII white space.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Text without its comments.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut inside = false;
    let mut kept = Vec::with_capacity(text.len());
    for &byte in text {
        if inside {
            inside = !matches!(byte, b'\r' | b'\n');
        } else if byte == b'#' {
            inside = true;
        } else {
            kept.push(byte);
        }
    }
    kept
}

/// Ones (black) and noughts (white), with or without space between them.
fn bits_in_text(file: &File<'_>, text: &[u8], count: usize) -> Result<Vec<u8>> {
    let mut grey = Vec::with_capacity(count);
    for byte in without_comments(text) {
        match byte {
            b'0' | b'1' if grey.len() < count => grey.push(255 * (b'1' - byte)),
            b'0' | b'1' => {}
            _ if is_space(byte) => {}
            _ => return Err(file.damaged(format!("`{}` among bits", byte.escape_ascii()))),
        }
    }
    if grey.len() < count {
        return Err(file.truncated(format!("{count} pixels expected, {} found", grey.len())));
    }
    Ok(grey)
}

fn numbers_in_text(file: &File<'_>, text: &[u8], count: usize, most: u32) -> Result<Vec<u32>> {
    let text = without_comments(text);
    let words = text.split(|&b| is_space(b)).filter(|word| !word.is_empty());
    let mut values = Vec::with_capacity(count);
    for word in words.take(count) {
        let text = std::str::from_utf8(word).ok();
        let value = text.filter(|text| text.len() <= LONGEST);
        let value = value.and_then(|text| text.parse::<u32>().ok());
        match value {
            Some(value) if value <= most => values.push(value),
            _ => {
                let word = word[..word.len().min(16)].escape_ascii();
                return Err(file.damaged(format!("`{word}` among samples, expected 0 to {most}")));
            }
        }
    }
    if values.len() < count {
        let found = values.len();
        return Err(file.truncated(format!("{count} samples expected, {found} found")));
    }
    Ok(values)
}
