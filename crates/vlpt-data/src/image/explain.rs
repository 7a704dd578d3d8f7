//! Preprocessing in words.

use super::facts::{Facts, turn_in_words};
use super::preprocess::{Preprocess, ResizeMode};
use super::rgb::RgbImage;
use super::settings::{Exif, Grey16};

impl Preprocess {
    /// Says step by step what is done to this image, decoded as [`Preprocess::decoding`] says, one line a step.
    /// `facts` are those of its file, where it was one.
    pub fn explain(&self, image: &RgbImage, facts: Option<&Facts>) -> Vec<String> {
        let (width, height) = (image.width, image.height);
        let plan = self.plan(width, height);
        let n = self.image_size;
        let mut steps = vec![format!("decoded: {width} x {height} pixels, 8-bit RGB")];
        steps.extend(facts.iter().flat_map(|facts| self.choices(**facts)));
        let how = match self.resize {
            ResizeMode::Shortest => format!("shortest side to {n}"),
            ResizeMode::Squash => "both sides, aspect ratio not kept".to_owned(),
            ResizeMode::Longest => format!("longest side to {n}"),
        };
        let (w, h) = plan.size;
        if plan.size == (width, height) {
            steps.push(format!("resize: none, {how} already holds"));
        } else {
            steps.push(format!(
                "resize: to {w} x {h} ({how}), {} with antialiasing, {} pass first",
                self.interpolation.name(),
                if self.resize_order.vertical_first((width, height), plan.size) {
                    "vertical"
                } else {
                    "horizontal"
                }
            ));
        }
        let keep = plan.keep;
        if (keep.width, keep.height) != plan.size {
            steps.push(format!(
                "crop: {} x {} pixels from column {}, row {} (centre)",
                keep.width, keep.height, keep.x, keep.y
            ));
        }
        if (keep.width, keep.height) != (n, n) {
            let (left, top) = plan.at;
            steps.push(format!(
                "pad: to {n} x {n} with value {}: left {left}, right {}, top {top}, bottom {}",
                self.fill,
                n - keep.width - left,
                n - keep.height - top,
            ));
        }
        steps.push("scale: x / 255, in f32".to_owned());
        steps.push(format!(
            "normalise: (x - {:?}) / {:?}, per channel",
            self.mean, self.std
        ));
        steps.push(format!("tensor: 3 x {n} x {n}, channels first"));
        steps
    }

    /// What the choices of decoding mean for an image with these facts.
    fn choices(&self, facts: Facts) -> Vec<String> {
        let mut said = Vec::new();
        if facts.grey16 {
            said.push(match self.grey16 {
                Grey16::Clip => {
                    "grey of more than 8 bits: clipped, 255 and more is white, as Pillow does; \
                                 --grey16 scale keeps the high bits"
                        .to_owned()
                }
                Grey16::Scale => "grey of more than 8 bits: the high 8 bits of 16".to_owned(),
            });
        }
        if let Some(turn) = turn_in_words(facts.orientation) {
            let number = facts.orientation;
            said.push(match self.exif {
                Exif::Ignore => format!(
                    "EXIF orientation {number} ({turn} it would stand upright): ignored, as Pillow's \
                     convert does; --exif apply turns the image"
                ),
                Exif::Apply => format!("EXIF orientation {number}: {turn}"),
            });
        }
        said
    }
}
