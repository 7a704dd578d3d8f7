//! Images that a file holds as pixels, one after the other, none of them encoded.

use std::sync::Arc;

use super::file_at::{FileAt, MAX_MEMBER_BYTES};
use super::root::Root;
use crate::error::{LayoutError, Result};

/// How the pixels of one image lie in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pixels {
    /// A byte a pixel, row by row.
    Grey,
    /// All of red, all of green, all of blue, each row by row.
    Planes,
}

/// Where images of one shape lie in a file: the first, and how far it is from one to the next.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) start: u64,
    pub(crate) step: u64,
    pub(crate) count: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) pixels: Pixels,
}

impl Grid {
    /// Bytes of one image; none where they are no number of this machine.
    pub(crate) fn image_bytes(&self) -> Option<usize> {
        let channels = match self.pixels {
            Pixels::Grey => 1,
            Pixels::Planes => 3,
        };
        let pixels = u64::from(self.width).checked_mul(u64::from(self.height))?;
        usize::try_from(pixels.checked_mul(channels)?).ok()
    }

    /// The byte after the last image.
    pub(crate) fn end(&self) -> Option<u64> {
        let last = u64::from(self.count).checked_sub(1)?;
        let place = self.start.checked_add(self.step.checked_mul(last)?)?;
        place.checked_add(self.image_bytes()? as u64)
    }
}

/// Where the bytes are.
#[derive(Debug)]
enum Source {
    /// In the file, read when they are asked for.
    File(FileAt),
    /// In memory, unpacked once.
    Held(Vec<u8>),
}

/// Images of one shape in one file. An image is given as Netpbm (P5 or P6) with its pixels unchanged, so
/// that its bytes, and their hash, are those of the pixels with their shape.
#[derive(Debug)]
pub struct RawImages {
    name: String,
    source: Source,
    grid: Grid,
}

impl RawImages {
    /// Images in the file at `name` below `root`.
    ///
    /// # Errors
    /// The file is absent, leaves the root or ends before the last image.
    pub(crate) fn in_file(root: &Root, name: &str, grid: Grid) -> Result<Arc<Self>> {
        let file = FileAt::open(&root.check_links(name)?)?;
        let length = file.len();
        Self::of(name, Source::File(file), length, grid)
    }

    /// Images in bytes that were unpacked from the file `name`.
    ///
    /// # Errors
    /// There are too few of them.
    pub(crate) fn held(name: &str, bytes: Vec<u8>, grid: Grid) -> Result<Arc<Self>> {
        let length = bytes.len() as u64;
        Self::of(name, Source::Held(bytes), length, grid)
    }

    fn of(name: &str, source: Source, length: u64, grid: Grid) -> Result<Arc<Self>> {
        let whole = grid.count == 0 || grid.end().is_some_and(|end| end <= length);
        let small = grid
            .image_bytes()
            .is_some_and(|bytes| bytes as u64 <= MAX_MEMBER_BYTES);
        if !whole || !small {
            let detail = format!(
                "{} images of {} x {} pixels do not fit into its {length} bytes",
                grid.count, grid.width, grid.height
            );
            return Err(LayoutError::damaged(name, "raw images", &detail).into());
        }
        Ok(Arc::new(Self {
            name: name.to_owned(),
            source,
            grid,
        }))
    }

    /// Number of images.
    pub fn len(&self) -> u32 {
        self.grid.count
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.grid.count == 0
    }

    /// `file#number`, relative to the root; numbers count from 0.
    pub fn id(&self, index: u32) -> String {
        format!("{}#{index}", self.name)
    }

    /// One image as a Netpbm file.
    ///
    /// # Errors
    /// There is no such image, or its file cannot be read any more.
    pub fn read(&self, index: u32) -> Result<Vec<u8>> {
        let Grid {
            start,
            step,
            count,
            width,
            height,
            pixels,
        } = self.grid;
        let length = self.grid.image_bytes().filter(|_| index < count);
        let Some(length) = length else {
            let detail = format!("there are {count} images");
            return Err(LayoutError::damaged(&self.id(index), "raw images", &detail).into());
        };
        // the last image was seen to end inside the file
        let place = start + step * u64::from(index);
        let stored = match &self.source {
            Source::File(file) => file.bytes_at(place, length)?,
            Source::Held(bytes) => bytes[place as usize..place as usize + length].to_vec(),
        };
        let (kind, data) = match pixels {
            Pixels::Grey => ('5', stored),
            Pixels::Planes => ('6', interleaved(&stored)),
        };
        let mut file = format!("P{kind}\n{width} {height}\n255\n").into_bytes();
        file.extend(data);
        Ok(file)
    }
}

/// Three planes as pixels.
fn interleaved(planes: &[u8]) -> Vec<u8> {
    let size = planes.len() / 3;
    (0..size)
        .flat_map(|at| [planes[at], planes[size + at], planes[2 * size + at]])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: u32, pixels: Pixels) -> Grid {
        Grid {
            start: 1,
            step: 7,
            count,
            width: 2,
            height: 1,
            pixels,
        }
    }

    #[test]
    fn pixels_come_with_their_shape() {
        let bytes: Vec<u8> = (0..14).collect();
        let planes = RawImages::held("a.bin", bytes.clone(), grid(2, Pixels::Planes)).unwrap();
        assert_eq!(planes.id(1), "a.bin#1");
        assert_eq!(
            planes.read(1).unwrap(),
            b"P6\n2 1\n255\n\x08\x0a\x0c\x09\x0b\x0d"
        );
        assert!(planes.read(2).is_err());
        let grey = RawImages::held("a.bin", bytes, grid(2, Pixels::Grey)).unwrap();
        assert_eq!(grey.read(0).unwrap(), b"P5\n2 1\n255\n\x01\x02");
    }

    #[test]
    fn images_past_the_end_are_refused() {
        let few = RawImages::held("a.bin", vec![0; 13], grid(2, Pixels::Planes));
        let error = few.unwrap_err().to_string();
        assert!(error.contains("2 images of 2 x 1 pixels"), "{error}");
        let huge = Grid {
            width: u32::MAX,
            height: u32::MAX,
            step: u64::MAX,
            ..grid(u32::MAX, Pixels::Planes)
        };
        assert!(RawImages::held("a.bin", vec![0; 13], huge).is_err());
    }
}
