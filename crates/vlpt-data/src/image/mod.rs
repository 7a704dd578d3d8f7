//! From the bytes of an image file to the tensor that an image tower takes, equal to Pillow and
//! torchvision to the last bit.
//!
//! [`decode`] gives 8-bit RGB pixels, [`Preprocess`] the evaluation view, [`Augment`] a random
//! training view.

mod augment;
mod decode;
mod explain;
mod filter;
mod preprocess;
mod resample;

pub use augment::Augment;
pub use decode::{DecodeOptions, ImageFormat, Limits, decode, decode_with, format_of};
pub use preprocess::{Interpolation, Preprocess, ResizeMode};

/// An image of 8-bit RGB pixels, rows from the top, three bytes a pixel.
///
/// Width and height are at least 1; whoever fills the fields keeps `data` at the length they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `height * width * 3` bytes.
    pub data: Vec<u8>,
}

impl RgbImage {
    /// An image of one colour.
    pub fn filled(width: u32, height: u32, colour: [u8; 3]) -> Self {
        let pixels = width as usize * height as usize;
        Self {
            width,
            height,
            data: colour.repeat(pixels),
        }
    }

    /// Left and right changed over, in place.
    pub fn mirror(&mut self) {
        for row in self.data.chunks_exact_mut(self.width as usize * 3) {
            row.reverse();
            for pixel in row.chunks_exact_mut(3) {
                pixel.swap(0, 2);
            }
        }
    }
}

/// Crops `crop` (left, top, width, height) out of an image and resizes it to `to` (width, height), as
/// Pillow's `crop` and `resize`.
///
/// # Panics
/// If the crop is empty or reaches past the image, or `to` has a zero.
pub fn crop_resize(
    image: &RgbImage,
    crop: [u32; 4],
    to: [u32; 2],
    filter: Interpolation,
) -> RgbImage {
    let [x, y, width, height] = crop;
    let inside = x.checked_add(width).is_some_and(|end| end <= image.width)
        && y.checked_add(height).is_some_and(|end| end <= image.height);
    assert!(
        inside && width > 0 && height > 0,
        "crop {crop:?} outside of the image"
    );
    assert!(to[0] > 0 && to[1] > 0, "resize to nothing");
    let area = resample::Area {
        x,
        y,
        width,
        height,
    };
    let whole = resample::Area::whole(to[0], to[1]);
    resample::resample(image, area, (to[0], to[1]), whole, filter)
}
