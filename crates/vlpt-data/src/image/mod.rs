//! From the bytes of an image file to the tensor that an image tower takes, equal to Pillow and
//! torchvision to the last bit.
//!
//! [`decode`] gives 8-bit RGB pixels, [`Preprocess`] the evaluation view, [`Augment`] a random
//! training view.

mod augment;
mod crop;
mod decode;
mod endings;
mod explain;
mod facts;
mod filter;
mod preprocess;
mod read;
mod resample;
mod rgb;
mod settings;

pub use augment::Augment;
pub use crop::{crop_resize, no_longer_than};
pub use decode::{
    DEFAULT_MEMORY_BUDGET, DecodeOptions, FORMATS, ImageFormat, Limits, decode, decode_then,
    decode_with, format_of, set_memory_budget, set_memory_ceiling,
};
pub use endings::{ENDINGS, endings_in_words, has_image_ending, is_image_path};
pub use facts::{Facts, facts};
pub use filter::Interpolation;
pub use preprocess::{Preprocess, ResizeMode};
pub use read::read_file;
pub use rgb::RgbImage;
pub use settings::{Exif, Grey16, ResizeOrder};
