//! Preprocessing in words.

use super::preprocess::{Preprocess, ResizeMode};
use super::rgb::RgbImage;

impl Preprocess {
    /// Says step by step what [`Preprocess::apply`] does to this image, one line a step.
    pub fn explain(&self, image: &RgbImage) -> Vec<String> {
        let (width, height) = (image.width, image.height);
        let plan = self.plan(width, height);
        let n = self.image_size;
        let mut steps = vec![format!("decoded: {width} x {height} pixels, 8-bit RGB")];
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
                "resize: to {w} x {h} ({how}), {} with antialiasing, horizontal pass first",
                self.interpolation.name()
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
}
