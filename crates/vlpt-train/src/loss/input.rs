//! What a step of the loss head works on, and whether it fits together.

use std::ops::Range;

use super::{Pairs, UnitRows};
use crate::{Result, TrainError};

/// What an image of one task has to do with the classes of the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mask {
    /// All classes are one label space.
    #[default]
    Union,
    /// The logits of other tasks' classes are minus infinity: exactly as if the image's task were
    /// alone.
    PerTask,
    /// The logits of other tasks' classes are multiplied by 0, as published multitask code does:
    /// each still adds `exp(0)` to the sum of the softmax. For comparison only.
    Zero,
}

/// Whose text features they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TextsOf {
    /// All images meet the same: classes x embed.
    #[default]
    All,
    /// Each image meets its own, made for it: images x classes x embed.
    Each,
}

/// What each image weighs in the loss.
#[derive(Debug, Clone, Copy)]
pub struct ImageWeights<'a> {
    /// The weight of each image: that of its class.
    pub each: &'a [f64],
    /// The weights of all images of the step together, by which the sum is divided, as PyTorch's
    /// `CrossEntropyLoss(weight)` does.
    pub total: f64,
}

/// Some images, the texts they are compared with, and what is wanted.
#[derive(Debug, Clone, Copy)]
pub struct LossInput<'a> {
    /// Features of the images as the tower gives them, n x `width`.
    pub images: &'a [f32],
    /// Features of the texts as the tower gives them, see [`TextsOf`].
    pub texts: &'a [f32],
    /// Length of a feature.
    pub width: usize,
    /// The classes of each image.
    pub targets: &'a [Vec<u32>],
    /// Number of images of the whole step, of which these may be a part: the sum over the parts
    /// is then the mean over the batch.
    pub batch: usize,
    /// What each image weighs; none: all alike. For softmax cross entropy of one class an image.
    pub weights: Option<ImageWeights<'a>>,
    /// Whose texts they are.
    pub texts_of: TextsOf,
    /// What becomes of the logits outside `ranges`.
    pub mask: Mask,
    /// For each image the classes of its task; the masks that need them refuse to do without.
    pub ranges: Option<&'a [Range<usize>]>,
    /// Whether the gradient in the image features is wanted.
    pub d_images: bool,
    /// Whether the gradient in the text features is wanted.
    pub d_texts: bool,
}

impl<'a> LossInput<'a> {
    /// A whole batch against one label space, with both gradients.
    pub fn new(images: &'a [f32], texts: &'a [f32], width: usize, targets: &'a [Vec<u32>]) -> Self {
        Self {
            images,
            texts,
            width,
            targets,
            batch: targets.len(),
            weights: None,
            texts_of: TextsOf::All,
            mask: Mask::Union,
            ranges: None,
            d_images: true,
            d_texts: true,
        }
    }

    /// Normalises the features and checks all sizes.
    pub(super) fn pairs(&self) -> Result<Pairs> {
        let images = UnitRows::new(self.images, self.width)?;
        let texts = UnitRows::new(self.texts, self.width)?;
        let n = images.len();
        if self.targets.len() != n {
            return incompatible(format!(
                "targets of {} images for features of {n}",
                self.targets.len()
            ));
        }
        if let Some(weights) = &self.weights
            && weights.each.len() != n
        {
            return incompatible(format!("weights of {} images for {n}", weights.each.len()));
        }
        let classes = match self.texts_of {
            TextsOf::All => texts.len(),
            TextsOf::Each if texts.len().is_multiple_of(n.max(1)) => texts.len() / n.max(1),
            TextsOf::Each => {
                return incompatible(format!(
                    "{} text features for {n} images: expected as many for each",
                    texts.len()
                ));
            }
        };
        let ranges = self.class_ranges(n, classes)?;
        for (image, (own, range)) in self.targets.iter().zip(&ranges).enumerate() {
            if let Some(class) = own
                .iter()
                .find(|&&class| !range.contains(&(class as usize)))
            {
                let expected = if range.start == 0 {
                    format!("a number below {}", range.end)
                } else {
                    format!("one of {} to {}", range.start, range.end - 1)
                };
                return incompatible(format!(
                    "image {image} has class {class}: expected {expected}"
                ));
            }
        }
        Ok(Pairs {
            images,
            texts,
            texts_of: self.texts_of,
            classes,
            ranges,
        })
    }

    /// For each image the classes whose logits are computed.
    fn class_ranges(&self, n: usize, classes: usize) -> Result<Vec<Range<usize>>> {
        if self.mask == Mask::Union {
            return Ok(vec![0..classes; n]);
        }
        let given = self.ranges.unwrap_or_default();
        if given.len() != n {
            return incompatible(format!(
                "the classes of {} images' tasks for {n} images",
                given.len()
            ));
        }
        match given
            .iter()
            .find(|range| range.is_empty() || range.end > classes)
        {
            Some(range) => incompatible(format!(
                "a task of the classes {range:?}: expected some of 0..{classes}"
            )),
            None => Ok(given.to_vec()),
        }
    }
}

fn incompatible<T>(what: String) -> Result<T> {
    Err(TrainError::Incompatible { what, hint: None })
}
