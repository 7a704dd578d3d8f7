//! How images are made ready for a model.

use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, Interpolation as ClipInterpolation, ResizeMode as ClipResizeMode};
use vlpt_data::image::{
    DecodeOptions, Exif, Grey16, Interpolation, Preprocess, ResizeMode, ResizeOrder,
};

/// Changes to the model's own preprocessing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageConfig {
    /// How an image becomes a square; left out: as the model says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<ResizeMode>,
    /// What becomes of a turn in EXIF data: `ignore` as published code, or `apply`.
    #[serde(skip_serializing_if = "Exif::is_default")]
    pub exif: Exif,
    /// How grey of 16 bits becomes 8: `clip` as Pillow, or `scale`.
    #[serde(skip_serializing_if = "Grey16::is_default")]
    pub grey16: Grey16,
    /// Which direction is resized first: `classic` as Pillow before 12.2, or `pillow13`.
    #[serde(skip_serializing_if = "ResizeOrder::is_default")]
    pub resize_order: ResizeOrder,
}

impl ImageConfig {
    /// How images are decoded.
    pub fn decoding(&self) -> DecodeOptions {
        DecodeOptions {
            exif: self.exif,
            grey16: self.grey16,
            ..DecodeOptions::default()
        }
    }
}

/// The preprocessing of a model, with a configuration's changes.
pub fn preprocess(clip: &Clip, changes: &ImageConfig) -> Preprocess {
    let own = &clip.preprocess;
    Preprocess {
        image_size: own.image_size as u32,
        resize: changes.resize.unwrap_or(match own.resize {
            ClipResizeMode::Shortest => ResizeMode::Shortest,
            ClipResizeMode::Squash => ResizeMode::Squash,
            ClipResizeMode::Longest => ResizeMode::Longest,
        }),
        interpolation: match own.interpolation {
            ClipInterpolation::Bicubic => Interpolation::Bicubic,
            ClipInterpolation::Bilinear => Interpolation::Bilinear,
        },
        mean: own.mean,
        std: own.std,
        fill: own.fill,
        exif: changes.exif,
        grey16: changes.grey16,
        resize_order: changes.resize_order,
    }
}
