//! What of an image file decides its pixels and is easily overlooked: a turn in EXIF data, and grey of 16 bits.

use super::decode::{ImageFormat, format_of, orientation_of, wide_grey};

/// Facts about an encoded image, from its headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// Its format.
    pub format: ImageFormat,
    /// The EXIF orientation, 1 (as stored) to 8. A TIFF's and a HEIC's is always applied and given as 1.
    pub orientation: u32,
    /// Whether it is grey of more than 8 bits, which is clipped or scaled.
    pub grey16: bool,
}

/// Reads the headers of an encoded image; `None` where it is no image known here.
pub fn facts(bytes: &[u8]) -> Option<Facts> {
    let format = format_of(bytes)?;
    let orientation = match format {
        ImageFormat::Tiff | ImageFormat::Heic => 1,
        _ => orientation_of(bytes),
    };
    Some(Facts {
        format,
        orientation: if (1..=8).contains(&orientation) {
            orientation
        } else {
            1
        },
        grey16: wide_grey(bytes, format),
    })
}

/// What an orientation asks for, in words; `None` for an image that stands as it is stored.
pub(super) fn turn_in_words(orientation: u32) -> Option<&'static str> {
    Some(match orientation {
        2 => "mirrored",
        3 => "turned by 180 degrees",
        4 => "upside down, mirrored",
        5 => "turned to the left, mirrored",
        6 => "turned to the right by 90 degrees",
        7 => "turned to the right, mirrored",
        8 => "turned to the left by 90 degrees",
        _ => return None,
    })
}
