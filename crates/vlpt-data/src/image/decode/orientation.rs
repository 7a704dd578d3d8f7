//! Orientation tags and what they do to pixels.

use crate::image::rgb::RgbImage;
use std::io::Cursor;

/// The EXIF orientation of a file, 1 to 8; 1 (as stored) where there is none, or none that can be read.
pub(crate) fn read_exif(bytes: &[u8]) -> u32 {
    let read = || {
        let exif = exif::Reader::new().read_from_container(&mut Cursor::new(bytes));
        let exif = exif.ok()?;
        let field = exif.get_field(exif::Tag::Orientation, exif::In::PRIMARY)?;
        field.value.get_uint(0)
    };
    // A reader that panics on some tags we have not met must not end the program.
    crate::quiet::catch(read).flatten().unwrap_or(1)
}

/// Turns and mirrors pixels so that an image with this tag stands upright.
pub(super) fn apply(image: RgbImage, orientation: u32) -> RgbImage {
    if !(2..=8).contains(&orientation) {
        return image;
    }
    let (w, h) = (image.width as usize, image.height as usize);
    let turned = orientation >= 5;
    let (width, height) = if turned { (h, w) } else { (w, h) };
    let mut data = Vec::with_capacity(image.data.len());
    for y in 0..height {
        for x in 0..width {
            let (from_x, from_y) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, h - 1 - x),
                7 => (w - 1 - y, h - 1 - x),
                _ => (w - 1 - y, x),
            };
            let at = (from_y * w + from_x) * 3;
            data.extend_from_slice(&image.data[at..at + 3]);
        }
    }
    RgbImage {
        width: width as u32,
        height: height as u32,
        data,
    }
}
