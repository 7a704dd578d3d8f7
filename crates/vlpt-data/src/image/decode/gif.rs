//! GIF: the first frame on its canvas, as Pillow's mode `P` gives it.

use super::convert;
use super::file::File;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use gif::{ColorOutput, DecodeOptions, DecodingError, MemoryLimit};
use std::num::NonZeroU64;

/// Decodes the first frame of a GIF file. What the frame does not cover has the transparent colour's
/// palette entry, or entry 0; transparent pixels keep their palette colour.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let failed = |error: DecodingError| failure(file, &error);
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.allow_unknown_blocks(true);
    let most = NonZeroU64::new(file.limits.max_bytes).unwrap_or(NonZeroU64::MIN);
    options.set_memory_limit(MemoryLimit::Bytes(most));
    let mut decoder = options.read_info(file.bytes).map_err(failed)?;
    let (mut width, mut height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    let none = || file.damaged("there is no frame in the file");
    let frame = decoder
        .next_frame_info()
        .map_err(failed)?
        .ok_or_else(none)?;
    let (left, top) = (usize::from(frame.left), usize::from(frame.top));
    let (frame_width, frame_height) = (usize::from(frame.width), usize::from(frame.height));
    // Pillow lets the canvas grow to hold the frame.
    width = width.max(left + frame_width);
    height = height.max(top + frame_height);
    file.check_size(width as u64, height as u64, 2)?;
    let frame = decoder.read_next_frame_pixels().map_err(failed)?;
    let background = frame.transparent.unwrap_or(0);
    let mut canvas = vec![background; width * height];
    if frame_width > 0 {
        let rows = canvas.chunks_exact_mut(width).skip(top);
        for (row, pixels) in rows.zip(frame.pixels.chunks_exact(frame_width)) {
            row[left..left + frame_width].copy_from_slice(pixels);
        }
    }
    let data = match frame.palette {
        Some(colours) => convert::palette(canvas.into_iter(), &colours),
        None => convert::grey(canvas.into_iter()),
    };
    Ok(RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    })
}

/// The indices of a frame, rows from the top, and what colours them.
struct Indexed {
    pixels: Vec<u8>,
    transparent: Option<u8>,
    palette: Option<Vec<u8>>,
}

/// Reading the pixels of the frame whose header was read.
trait FramePixels {
    fn read_next_frame_pixels(&mut self) -> std::result::Result<Indexed, DecodingError>;
}

impl FramePixels for gif::Decoder<&[u8]> {
    fn read_next_frame_pixels(&mut self) -> std::result::Result<Indexed, DecodingError> {
        let mut pixels = vec![0; self.buffer_size()];
        self.read_into_buffer(&mut pixels)?;
        let frame = self.current_frame_info();
        let own = frame.and_then(|f| f.palette.clone());
        let transparent = frame.and_then(|f| f.transparent);
        let palette = own.or_else(|| self.global_palette().map(<[u8]>::to_vec));
        Ok(Indexed {
            pixels,
            transparent,
            palette,
        })
    }
}

fn failure(file: &File<'_>, error: &DecodingError) -> DataError {
    match error {
        DecodingError::Io(error) => file.reading(error),
        _ => file.damaged(error.to_string()),
    }
}
