//! From the bytes of an image file to the tensor that an image tower takes, equal to Pillow and
//! torchvision to the last bit.
//!
//! [`decode`] gives 8-bit RGB pixels, [`Preprocess`] the evaluation view, [`Augment`] a random
//! training view.

mod augment;
mod crop;
mod decode;
mod explain;
mod filter;
mod preprocess;
mod resample;
mod rgb;

pub use augment::Augment;
pub use crop::crop_resize;
pub use decode::{
    DecodeOptions, ImageFormat, Limits, decode, decode_with, exif_orientation, format_of,
};
pub use filter::Interpolation;
pub use preprocess::{Preprocess, ResizeMode};
pub use rgb::RgbImage;
