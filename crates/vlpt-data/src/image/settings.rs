//! Choices of decoding that change pixels. The defaults are what published code gets from Pillow.

use serde::{Deserialize, Serialize};

/// What becomes of a turn that a camera wrote into EXIF data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Exif {
    /// Nothing: pixels as they are stored, as `convert("RGB")` and torchvision's loader.
    #[default]
    Ignore,
    /// The image is turned upright, as Pillow's `ImageOps.exif_transpose`.
    Apply,
}

/// How grey of 16 bits becomes 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grey16 {
    /// Values above 255 are white, as in Pillow's `convert("RGB")` of its modes `I;16` and `I`.
    #[default]
    Clip,
    /// The high byte, as Pillow does with 16-bit colour.
    Scale,
}

/// Which direction is resized first. Both round to 8 bits in between, so pixels can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeOrder {
    /// Always the width, as Pillow before 12.2 and all published results.
    #[default]
    Classic,
    /// As Pillow 13: the height where it shrinks, and by more than twice as many pixels as the width.
    Pillow13,
}

impl Exif {
    /// Whether this is the default, which written files leave out.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Grey16 {
    /// Whether this is the default, which written files leave out.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// A 16-bit value as 8 bits.
    pub(super) fn eight_bits(self, value: u16) -> u8 {
        match self {
            Self::Clip => value.min(255) as u8,
            Self::Scale => (value >> 8) as u8,
        }
    }
}

impl ResizeOrder {
    /// Whether this is the default, which written files leave out.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether rows are combined first, of a resize from one size (width, height) to another.
    pub(super) fn vertical_first(self, from: (u32, u32), to: (u32, u32)) -> bool {
        let falls = i64::from(from.1) - i64::from(to.1);
        self == Self::Pillow13 && falls > 0 && falls > 2 * (i64::from(from.0) - i64::from(to.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_are_clipped_or_cut() {
        let values = [0, 1, 255, 256, 65535];
        assert_eq!(
            values.map(|v| Grey16::Clip.eight_bits(v)),
            [0, 1, 255, 255, 255]
        );
        assert_eq!(
            values.map(|v| Grey16::Scale.eight_bits(v)),
            [0, 0, 0, 1, 255]
        );
    }

    #[test]
    fn tall_images_go_rows_first_in_the_new_order_only() {
        let tall = ((65, 200), (48, 147));
        assert!(ResizeOrder::Pillow13.vertical_first(tall.0, tall.1));
        assert!(!ResizeOrder::Classic.vertical_first(tall.0, tall.1));
        for (from, to) in [
            ((200, 65), (147, 48)),
            ((9, 9), (9, 9)),
            ((9, 9), (3, 9)),
            ((4, 4), (8, 8)),
        ] {
            assert!(
                !ResizeOrder::Pillow13.vertical_first(from, to),
                "{from:?} {to:?}"
            );
        }
    }
}
