//! Run-length coded indices, RLE8 and RLE4, as Pillow's decoder unpacks them.

use super::Header;
use crate::error::Result;
use crate::image::decode::file::File;

/// The bytes of the coded pixels, with their place in the file.
struct Input<'a> {
    file: &'a File<'a>,
    at: usize,
}

impl Input<'_> {
    fn next(&mut self) -> Result<u8> {
        let byte = self.file.bytes.get(self.at).copied();
        self.at += 1;
        byte.ok_or_else(|| short(self.file))
    }
}

fn short(file: &File<'_>) -> crate::error::DataError {
    file.truncated("the run-length coded pixels end early")
}

/// The indices, a byte each, rows from the bottom as stored.
pub(super) fn unpack(file: &File<'_>, header: &Header) -> Result<Vec<u8>> {
    let (width, needed) = (header.width, header.width * header.height);
    let four = header.bits == 4;
    let mut input = Input {
        file,
        at: header.pixels_at,
    };
    let mut pixels: Vec<u8> = Vec::with_capacity(needed);
    // Counted apart from the pixels: it goes back to 0 at the end of a line only, and runs past a row are cut.
    let mut column = 0_usize;
    while pixels.len() < needed {
        let (count, byte) = (usize::from(input.next()?), input.next()?);
        match (count, byte) {
            (0, 0) => {
                pixels.resize(pixels.len().next_multiple_of(width), 0);
                column = 0;
            }
            (0, 1) => break,
            (0, 2) => {
                // Pillow takes the bytes behind the jump for it, and noise from there on.
                return Err(file.unsupported("run lengths with jumps"));
            }
            (0, _) => {
                let count = usize::from(byte);
                if four && count % 2 == 1 {
                    // Pillow reads one byte too few of these, and noise from there on.
                    return Err(file.unsupported("RLE4 with an odd number of plain pixels"));
                }
                for _ in 0..if four { count / 2 } else { count } {
                    let byte = input.next()?;
                    if four {
                        pixels.extend([byte >> 4, byte & 15]);
                    } else {
                        pixels.push(byte);
                    }
                }
                column += count;
                // to an even place in the file
                input.at += input.at % 2;
            }
            _ => {
                let count = count.min(width.saturating_sub(column));
                let two = if four {
                    [byte >> 4, byte & 15]
                } else {
                    [byte; 2]
                };
                pixels.extend((0..count).map(|i| two[i % 2]));
                column += count;
            }
        }
    }
    if pixels.len() < needed {
        return Err(short(file));
    }
    pixels.truncate(needed);
    Ok(pixels)
}
