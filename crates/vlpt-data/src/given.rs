//! An image that a program has itself.

use std::path::PathBuf;

use crate::error::Result;
use crate::image::{Limits, RgbImage, read_file};

/// An image that a program gives.
#[derive(Debug)]
pub struct GivenImage {
    id: String,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(PathBuf),
    Encoded(Vec<u8>),
}

impl GivenImage {
    /// A file on disk, known by its path.
    pub fn file(path: PathBuf) -> Self {
        Self {
            id: path.display().to_string(),
            source: Source::File(path),
        }
    }

    /// The bytes of an image file, known by a name.
    pub fn encoded(id: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            id: id.into(),
            source: Source::Encoded(bytes),
        }
    }

    /// Pixels, known by a name; held as a PNG, which keeps every one of them.
    ///
    /// # Errors
    /// An image without a pixel.
    pub fn pixels(id: impl Into<String>, image: &RgbImage) -> Result<Self> {
        Ok(Self::encoded(id, image.png()?))
    }

    /// The name that the image is known by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The encoded bytes of the image.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Vec<u8>> {
        match &self.source {
            Source::File(path) => read_file(path, &self.id, &Limits::default()),
            Source::Encoded(bytes) => Ok(bytes.clone()),
        }
    }
}
