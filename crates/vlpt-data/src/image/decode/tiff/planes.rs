//! Pages whose samples lie in strips or tiles of their own, put side by side.

use crate::error::Result;
use crate::image::decode::file::File;
use std::io::Cursor;
use tiff::decoder::{Decoder, DecodingResult};

/// Reads all planes, `samples` of them, and gives what a page without planes would. Tiles are whole: see
/// [`super::plain`].
pub(super) fn read(
    file: &File<'_>,
    decoder: &mut Decoder<Cursor<&[u8]>>,
    (width, height): (usize, usize),
    samples: usize,
    chunks: usize,
) -> Result<DecodingResult> {
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    let (chunk_width, chunk_height) = (chunk_width as usize, chunk_height as usize);
    let across = width.div_ceil(chunk_width.max(1));
    let down = height.div_ceil(chunk_height.max(1));
    if across * down * samples != chunks {
        let found = format!(
            "{chunks} strips or tiles, expected {}",
            across * down * samples
        );
        return Err(file.damaged(found));
    }
    let mut all = Samples::None;
    for index in 0..chunks {
        let number = u32::try_from(index).unwrap_or(u32::MAX);
        let chunk = decoder
            .read_chunk(number)
            .map_err(|error| super::failure(file, error))?;
        let (plane, place) = (index / (across * down), index % (across * down));
        let place = Place {
            left: place % across * chunk_width,
            top: place / across * chunk_height,
            pitch: chunk_width,
            page: (width, height),
            samples,
            plane,
        };
        match chunk {
            DecodingResult::U8(chunk) => place.put(all.eight(width * height * samples), &chunk),
            DecodingResult::U16(chunk) => place.put(all.sixteen(width * height * samples), &chunk),
            _ => return Err(file.unsupported("separate planes of this kind of samples")),
        }
    }
    match all {
        Samples::Eight(all) => Ok(DecodingResult::U8(all)),
        Samples::Sixteen(all) => Ok(DecodingResult::U16(all)),
        Samples::None => Err(file.damaged("there are no strips")),
    }
}

enum Samples {
    None,
    Eight(Vec<u8>),
    Sixteen(Vec<u16>),
}

impl Samples {
    fn eight(&mut self, count: usize) -> &mut [u8] {
        if !matches!(self, Self::Eight(_)) {
            *self = Self::Eight(vec![0; count]);
        }
        match self {
            Self::Eight(all) => all,
            _ => &mut [],
        }
    }

    fn sixteen(&mut self, count: usize) -> &mut [u16] {
        if !matches!(self, Self::Sixteen(_)) {
            *self = Self::Sixteen(vec![0; count]);
        }
        match self {
            Self::Sixteen(all) => all,
            _ => &mut [],
        }
    }
}

/// Where a chunk of one plane lies.
struct Place {
    left: usize,
    top: usize,
    pitch: usize,
    page: (usize, usize),
    samples: usize,
    plane: usize,
}

impl Place {
    fn put<T: Copy>(&self, all: &mut [T], chunk: &[T]) {
        let rows = chunk.chunks_exact(self.pitch.max(1));
        let width = self.page.0 - self.left;
        for (y, row) in (self.top..self.page.1).zip(rows) {
            let start = (y * self.page.0 + self.left) * self.samples + self.plane;
            let places = all[start..].iter_mut().step_by(self.samples);
            for (place, value) in places.zip(row).take(width) {
                *place = *value;
            }
        }
    }
}
