//! What a check looks at.

use crate::catalogue::Entry;
use crate::image::Limits;

/// What to look at. The default decodes every image and compares files byte for byte.
#[derive(Debug, Clone)]
pub struct CheckOptions {
    /// Decode the images: finds broken ones, and sizes. Without it files are only read.
    pub decode: bool,
    /// Compare decoded pixels too, so that one picture in two files is found.
    pub pixels: bool,
    /// The catalogue's entry to compare with, where the task's name does not find it.
    pub entry: Option<&'static Entry>,
    /// Limits of the decoder.
    pub limits: Limits,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self {
            decode: true,
            pixels: false,
            entry: None,
            limits: Limits::default(),
        }
    }
}
