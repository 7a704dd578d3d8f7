//! TIFF: the first page, with the pixels that Pillow gives.
//!
//! Pillow unpacks uncompressed pages itself and leaves the others to libtiff. Both are followed here: the tags are
//! read and judged ([`layout`]), and the decoder library is only asked for the stored samples.

mod directory;
mod layout;
mod pixels;
mod planes;

use super::file::File;
use super::orientation;
use crate::error::{DataError, Result};
use crate::image::rgb::RgbImage;
use directory::Directory;
use layout::{Kind, Layout, layout, tag};
use std::io::Cursor;
use std::ops::Range;
use tiff::TiffError;
use tiff::decoder::{Decoder, Limits};

/// Decodes the first page of a TIFF file and turns it as its orientation tag says.
pub(super) fn decode(file: &File<'_>) -> Result<RgbImage> {
    let failed = |error: TiffError| failure(file, error);
    let page = Directory::read(file.bytes)
        .ok_or_else(|| file.truncated("the first directory is not whole"))?;
    let (width, height) = (page.number(tag::WIDTH, 0), page.number(tag::HEIGHT, 0));
    let layout = layout(file, &page)?;
    let stored = (layout.samples * layout.bits).div_ceil(8) as u64;
    let tile = tile_bytes_per_pixel(&page, &layout, width, height);
    file.check_size(width, height, tile.saturating_add(5 + stored))?;
    let (width, height) = (width as usize, height as usize);

    let copy = plain(&page, &layout);
    let mut limits = Limits::default();
    let most = usize::try_from(file.limits.max_bytes).unwrap_or(usize::MAX);
    limits.decoding_buffer_size = most;
    limits.intermediate_buffer_size = most;
    let decoder = Decoder::new(Cursor::new(&copy[..])).map_err(failed)?;
    let mut decoder = decoder.with_limits(limits);
    let samples = if layout.planes {
        let chunks = chunks(&page).len();
        planes::read(file, &mut decoder, (width, height), layout.samples, chunks)?
    } else {
        decoder.read_image().map_err(failed)?
    };
    drop(decoder);
    drop(copy);
    let colours = page.numbers(tag::COLOUR_MAP);
    if layout.kind == Kind::Palette && colours.is_none() {
        return Err(file.truncated("there is no whole colour map"));
    }
    let data = pixels::to_rgb(file, &layout, samples, width, colours.as_deref())?;
    if data.len() != width * height * 3 {
        return Err(file.truncated("fewer pixels than the header says"));
    }
    let image = RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    };
    let turn = page.number(tag::ORIENTATION, 1) as u32;
    Ok(orientation::apply(image, turn))
}

/// Whether the tags say 16-bit grey.
pub(super) fn wide_grey(bytes: &[u8]) -> bool {
    Directory::read(bytes).is_some_and(|page| {
        let whole = page.number(tag::SAMPLE_FORMAT, 1) == 1;
        let one = page.number(tag::SAMPLES, 1) == 1;
        let grey = page.number(tag::PHOTOMETRIC, 0) <= 1;
        whole && one && grey && page.number(tag::BITS, 1) == 16
    })
}

/// The file with tags that ask for the stored samples and no more.
fn plain(page: &Directory<'_>, layout: &Layout) -> Vec<u8> {
    let mut hide = vec![tag::EXTRA, tag::COLOUR_MAP, tag::FILL_ORDER];
    if !layout.predictor {
        hide.push(tag::PREDICTOR);
    }
    let turn = if layout.low_bits_first {
        chunks(page)
    } else {
        Vec::new()
    };
    let mut set = vec![(tag::PHOTOMETRIC, 1)];
    if layout.planes {
        // A page as large as its tiles: the decoder fails to skip what is left of some LZW rows.
        for (side, tile) in [
            (tag::WIDTH, tag::TILE_WIDTH),
            (tag::HEIGHT, tag::TILE_HEIGHT),
        ] {
            let whole = page
                .number(side, 1)
                .checked_next_multiple_of(page.number(tile, 1));
            set.extend(
                whole
                    .filter(|side| *side <= 0xffff)
                    .map(|whole| (side, whole)),
            );
        }
    }
    page.changed(&set, &hide, &turn)
}

/// What one tile of one plane takes, in bytes for each pixel of the page, which may be far smaller. Planes are read tile
/// by tile, as the tags say the sides of tiles; pages without planes are put together by the decoder library.
fn tile_bytes_per_pixel(page: &Directory<'_>, layout: &Layout, width: u64, height: u64) -> u64 {
    if !layout.planes {
        return 0;
    }
    let (across, down) = (
        page.number(tag::TILE_WIDTH, 0),
        page.number(tag::TILE_HEIGHT, 0),
    );
    let bytes = across
        .saturating_mul(down)
        .saturating_mul(layout.bits as u64 / 8);
    bytes.div_ceil(width.saturating_mul(height).max(1))
}

/// Where strips or tiles lie, without those that reach past what can be counted.
fn chunks(page: &Directory<'_>) -> Vec<Range<usize>> {
    let both = |starts, lengths| Some((page.numbers(starts)?, page.numbers(lengths)?));
    let (starts, lengths) = both(tag::STRIP_OFFSETS, tag::STRIP_BYTES)
        .or_else(|| both(tag::TILE_OFFSETS, tag::TILE_BYTES))
        .unwrap_or_default();
    let ranges = starts.iter().zip(&lengths).filter_map(|(start, length)| {
        let (start, length) = (
            usize::try_from(*start).ok()?,
            usize::try_from(*length).ok()?,
        );
        Some(start..start.checked_add(length)?)
    });
    ranges.collect()
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
