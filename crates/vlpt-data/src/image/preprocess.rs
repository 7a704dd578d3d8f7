//! The evaluation view: resize, crop, scale, normalise.

use super::decode::{DecodeOptions, Limits};
use super::filter::Interpolation;
use super::resample::{Area, resample};
use super::rgb::RgbImage;
use super::settings::{Exif, Grey16, ResizeOrder};
use serde::{Deserialize, Serialize};

/// How an image becomes a square.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// Shortest side to the image size, then the centre square: torchvision's `Resize(n)` and
    /// `CenterCrop(n)`.
    Shortest,
    /// Both sides to the image size, whatever the aspect ratio: torchvision's `Resize((n, n))`.
    Squash,
    /// Longest side to the image size, then padded to a square: OpenCLIP's `longest`.
    Longest,
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
    /// Whether a turn in EXIF data is applied when an image is decoded.
    #[serde(default, skip_serializing_if = "Exif::is_default")]
    pub exif: Exif,
    /// How grey of 16 bits becomes 8 when an image is decoded.
    #[serde(default, skip_serializing_if = "Grey16::is_default")]
    pub grey16: Grey16,
    /// Which direction is resized first.
    #[serde(default, skip_serializing_if = "ResizeOrder::is_default")]
    pub resize_order: ResizeOrder,
}

impl Default for Preprocess {
    /// OpenAI's CLIP at 224 pixels.
    fn default() -> Self {
        Self {
            image_size: 224,
            resize: ResizeMode::Shortest,
            interpolation: Interpolation::Bicubic,
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
            fill: 0,
            exif: Exif::default(),
            grey16: Grey16::default(),
            resize_order: ResizeOrder::default(),
        }
    }
}

/// How one image is turned into the square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    /// Size after resizing, before cropping and padding.
    pub(super) size: (u32, u32),
    /// The part of the resized image that is kept.
    pub(super) keep: Area,
    /// Where the kept part lies in the square: columns from the left, rows from the top.
    pub(super) at: (u32, u32),
}

impl Preprocess {
    /// What is wrong with numbers that come from elsewhere, where something is: they would make every image
    /// alike, or no number.
    pub fn fault(&self) -> Option<String> {
        let divides = |value: &f32| *value > 0.0 && value.is_normal();
        if !self.mean.iter().all(|value| value.is_finite()) {
            return Some(format!("mean {:?}: expected three numbers", self.mean));
        }
        let fits = self.std.iter().all(divides);
        (!fits).then(|| format!("std {:?}: expected three numbers above 0", self.std))
    }

    /// How images are decoded for this view.
    pub fn decoding(&self, limits: &Limits) -> DecodeOptions {
        DecodeOptions {
            limits: *limits,
            exif: self.exif,
            grey16: self.grey16,
            ..DecodeOptions::default()
        }
    }

    /// The normalised tensor of an image: `3 * image_size * image_size` values, channel by channel,
    /// rows from the top.
    pub fn apply(&self, image: &RgbImage) -> Vec<f32> {
        self.normalise(&self.pixels(image))
    }

    /// The square of pixels the tower sees, before scaling: `image_size` x `image_size`.
    pub fn pixels(&self, image: &RgbImage) -> RgbImage {
        let plan = self.plan(image.width, image.height);
        let whole = Area::whole(image.width, image.height);
        let kept = resample(
            image,
            whole,
            plan.size,
            plan.keep,
            self.interpolation,
            self.resize_order,
        );
        let n = self.image_size;
        if (kept.width, kept.height) == (n, n) {
            return kept;
        }
        let mut square = RgbImage::filled(n, n, [self.fill; 3]);
        let line = kept.width as usize * 3;
        for (y, row) in kept.data.chunks_exact(line).enumerate() {
            let start = ((plan.at.1 as usize + y) * n as usize + plan.at.0 as usize) * 3;
            square.data[start..start + line].copy_from_slice(row);
        }
        square
    }

    /// Pixels to a tensor: `(x / 255 - mean) / std` in f32, channel by channel, each operation
    /// rounded as torchvision's `ToTensor` and `Normalize` round it.
    pub fn normalise(&self, pixels: &RgbImage) -> Vec<f32> {
        let mut tensor = Vec::with_capacity(pixels.data.len());
        for channel in 0..3 {
            let values: [f32; 256] = std::array::from_fn(|x| {
                (x as f32 / 255.0 - self.mean[channel]) / self.std[channel]
            });
            tensor.extend(
                pixels
                    .data
                    .chunks_exact(3)
                    .map(|pixel| values[pixel[channel] as usize]),
            );
        }
        tensor
    }

    /// A short text that changes whenever the tensors may change: part of the key of feature caches
    /// and of prompt folders.
    pub fn fingerprint(&self) -> String {
        let list = |values: [f32; 3]| values.map(|v| format!("{v:?}")).join(",");
        let order = match self.resize_order {
            ResizeOrder::Classic => "horizontal-first",
            ResizeOrder::Pillow13 => "pillow13",
        };
        let mut text = format!(
            "rgb8 {} {} {} {order} fill={} mean={} std={}",
            self.resize.name(),
            self.interpolation.name(),
            self.image_size,
            self.fill,
            list(self.mean),
            list(self.std),
        );
        // Only what is not the default, so that features kept by older versions are found.
        if !self.exif.is_default() {
            text.push_str(" exif=apply");
        }
        if !self.grey16.is_default() {
            text.push_str(" grey16=scale");
        }
        text
    }

    /// Sizes and offsets for an image of this size.
    pub(super) fn plan(&self, width: u32, height: u32) -> Plan {
        let n = self.image_size;
        let size = match self.resize {
            ResizeMode::Shortest => shortest(width, height, n),
            ResizeMode::Squash => (n, n),
            ResizeMode::Longest => longest(width, height, n),
        };
        let (x, kept_width, left) = centre(size.0, n);
        let (y, kept_height, top) = centre(size.1, n);
        let keep = Area {
            x,
            y,
            width: kept_width,
            height: kept_height,
        };
        Plan {
            size,
            keep,
            at: (left, top),
        }
    }
}

impl ResizeMode {
    /// The name in configs: `shortest`, `squash`, `longest`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shortest => "shortest",
            Self::Squash => "squash",
            Self::Longest => "longest",
        }
    }
}

impl Interpolation {
    /// The name in configs: `bicubic`, `bilinear`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bicubic => "bicubic",
            Self::Bilinear => "bilinear",
        }
    }
}

/// torchvision's `Resize(n)`: the shortest side is `n`, the other `int(n * long / short)`.
fn shortest(width: u32, height: u32, n: u32) -> (u32, u32) {
    let other = |long: u32, short: u32| {
        let exact = u64::from(n) * u64::from(long);
        (exact as f64 / f64::from(short)) as u32
    };
    if width <= height {
        (n, other(height, width))
    } else {
        (other(width, height), n)
    }
}

/// OpenCLIP's `ResizeKeepRatio(n, longest=1)`: both sides divided by `max(w, h) / n`, rounded half to
/// even; a side that would vanish keeps one pixel.
fn longest(width: u32, height: u32, n: u32) -> (u32, u32) {
    let ratio = f64::from(width.max(height)) / f64::from(n);
    let side = |x: u32| (f64::from(x) / ratio).round_ties_even().max(1.0) as u32;
    (side(width), side(height))
}

/// torchvision's `CenterCrop` along one axis: first pixel kept, pixels kept, and their place in `n`.
/// A crop starts at `round((size - n) / 2)`, half to even; padding puts the odd pixel behind.
fn centre(size: u32, n: u32) -> (u32, u32, u32) {
    if size >= n {
        let start = (f64::from(size - n) / 2.0).round_ties_even() as u32;
        (start, n, 0)
    } else {
        (0, size, (n - size) / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crop_offsets_round_half_to_even() {
        assert_eq!(centre(225, 224).0, 0);
        assert_eq!(centre(227, 224).0, 2);
        assert_eq!(centre(229, 224).0, 2);
        assert_eq!(centre(231, 224).0, 4);
        assert_eq!(centre(10, 13), (0, 10, 1));
    }

    #[test]
    fn the_long_side_is_cut_not_rounded() {
        assert_eq!(shortest(500, 375, 224), (298, 224));
        assert_eq!(shortest(375, 500, 224), (224, 298));
        assert_eq!(shortest(1, 10_000, 224), (224, 2_240_000));
    }

    #[test]
    fn an_extreme_aspect_ratio_keeps_a_pixel() {
        assert_eq!(longest(1, 1000, 224), (1, 224));
    }

    #[test]
    fn any_change_of_the_view_changes_the_fingerprint() {
        let base = Preprocess::default();
        let others = [
            Preprocess {
                image_size: 225,
                ..base.clone()
            },
            Preprocess {
                resize: ResizeMode::Squash,
                ..base.clone()
            },
            Preprocess {
                interpolation: Interpolation::Bilinear,
                ..base.clone()
            },
            Preprocess {
                mean: [0.5; 3],
                ..base.clone()
            },
            Preprocess {
                std: [0.5; 3],
                ..base.clone()
            },
            Preprocess {
                fill: 1,
                ..base.clone()
            },
            Preprocess {
                exif: Exif::Apply,
                ..base.clone()
            },
            Preprocess {
                grey16: Grey16::Scale,
                ..base.clone()
            },
            Preprocess {
                resize_order: ResizeOrder::Pillow13,
                ..base.clone()
            },
        ];
        for other in others {
            assert_ne!(other.fingerprint(), base.fingerprint(), "{other:?}");
        }
    }

    #[test]
    fn default_choices_are_not_written_and_others_come_back() {
        let base = Preprocess::default();
        let text = serde_json::to_string(&base).unwrap();
        for key in ["exif", "grey16", "resize_order"] {
            assert!(!text.contains(key), "{text}");
        }
        let other = Preprocess {
            exif: Exif::Apply,
            grey16: Grey16::Scale,
            resize_order: ResizeOrder::Pillow13,
            ..base.clone()
        };
        let written = serde_json::to_string(&other).unwrap();
        assert!(written.contains(r#""exif":"apply","grey16":"scale","resize_order":"pillow13""#));
        assert_eq!(serde_json::from_str::<Preprocess>(&written).unwrap(), other);
        assert_eq!(serde_json::from_str::<Preprocess>(&text).unwrap(), base);
    }
}
