//! The evaluation view: resize, crop, scale, normalise.

use super::RgbImage;
use serde::{Deserialize, Serialize};

/// How an image becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// Shortest side to the image size, then the centre square.
    Shortest,
    /// Both sides to the image size, whatever the aspect ratio.
    Squash,
    /// Longest side to the image size, then padded to a square.
    Longest,
}

/// The resampling filter, antialiased when scaling down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    /// Cubic convolution with a = -0.5, support 2.
    Bicubic,
    /// Triangle filter, support 1.
    Bilinear,
}

/// The evaluation view of an image, from the model's config or the run's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// Side of the square the tower takes, in pixels.
    pub image_size: u32,
    /// How the image becomes a square.
    pub resize: ResizeMode,
    /// The resampling filter.
    pub interpolation: Interpolation,
    /// Subtracted from the channels of values in 0..=1.
    pub mean: [f32; 3],
    /// The channels are divided by this.
    pub std: [f32; 3],
    /// Value of padded pixels (`Longest` only).
    pub fill: u8,
}

impl Default for Preprocess {
    /// OpenAI's CLIP at 224 pixels.
    fn default() -> Self {
        Self {
            image_size: 224,
            resize: ResizeMode::Shortest,
            interpolation: Interpolation::Bicubic,
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            std: [0.268_629_54, 0.261_302_58, 0.275_777_11],
            fill: 0,
        }
    }
}

impl Preprocess {
    /// The normalised tensor of an image: `3 * image_size * image_size` values, channel by channel.
    pub fn apply(&self, image: &RgbImage) -> Vec<f32> {
        self.normalise(&self.pixels(image))
    }

    /// The square of pixels the tower sees, before scaling: `image_size` x `image_size`.
    pub fn pixels(&self, _image: &RgbImage) -> RgbImage {
        RgbImage::filled(self.image_size, self.image_size, [self.fill; 3])
    }

    /// Pixels to a tensor: `(x / 255 - mean) / std` in f32, channel by channel.
    pub fn normalise(&self, pixels: &RgbImage) -> Vec<f32> {
        vec![0.0; pixels.data.len()]
    }

    /// A short text that changes whenever the tensors may change: key of feature caches.
    pub fn fingerprint(&self) -> String {
        String::new()
    }

    /// Says step by step what [`Preprocess::apply`] does to this image.
    pub fn explain(&self, _image: &RgbImage) -> Vec<String> {
        Vec::new()
    }
}
