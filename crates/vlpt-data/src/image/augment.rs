//! The training view: a random crop, resized, perhaps mirrored.

use serde::{Deserialize, Serialize};

/// A random view of an image: torchvision's `RandomResizedCrop` and horizontal flip.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Range of the crop's share of the image's area.
    pub scale: (f64, f64),
    /// Range of the crop's width over its height, drawn log-uniformly.
    pub ratio: (f64, f64),
    /// Probability of a horizontal flip.
    pub flip: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Self {
            scale: (0.08, 1.0),
            ratio: (3.0 / 4.0, 4.0 / 3.0),
            flip: 0.5,
        }
    }
}
