//! How images are made ready for a model.

use serde::{Deserialize, Serialize};
use vlpt_clip::{Clip, Interpolation as ClipInterpolation, ResizeMode as ClipResizeMode};
use vlpt_data::image::{Interpolation, Preprocess, ResizeMode};

/// Changes to the model's own preprocessing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageConfig {
    /// How an image becomes a square; left out: as the model says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<ResizeMode>,
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
    }
}
