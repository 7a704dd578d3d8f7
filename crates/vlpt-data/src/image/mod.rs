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
pub use decode::{DecodeOptions, Format, Limits, decode, decode_with, format_of};
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
