//! The loss head: from features of both towers to a loss, and back to gradients of both.
//!
//! With unit features `i = image / |image|` and `t = text / |text|`, logits are `scale * i . t`
//! (Radford et al., "Learning transferable visual models from natural language supervision",
//! 2021). All sums are taken in a fixed order, so that results do not depend on the number of
//! threads.

mod input;
mod terms;

use std::ops::Range;

use rayon::prelude::*;
use vlpt_methods::head::{UnitRows, add, dot};

use crate::Result;

pub use input::{ImageWeights, LossInput, Mask, TextsOf};

use terms::{binary, cross_entropy};

/// What is minimised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Softmax cross entropy. An image of several classes has soft targets: its classes' ones,
    /// divided by their number. An image of no class adds nothing.
    CrossEntropy,
    /// Binary cross entropy of each class by itself, mean over images and classes.
    Binary,
}

/// The head of a run: it has no parameters, the scale is the model's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossHead {
    /// What is minimised.
    pub loss: Loss,
    /// Factor of the cosines (about 100), that is the exponential of the stored logit scale.
    pub scale: f32,
}

/// Loss, logits and gradients of some images against all classes.
#[derive(Debug, Clone, PartialEq)]
pub struct LossOutput {
    /// Sum over the images, divided by the size of the whole batch or by its weights (and, for binary cross
    /// entropy, by the number of classes).
    pub loss: f64,
    /// Images x classes; minus infinity, or 0, where the mask says so.
    pub logits: Vec<f32>,
    /// Gradient of the loss in the image features as given, images x embed; empty where it was
    /// not wanted.
    pub d_images: Vec<f32>,
    /// Gradient of the loss in the text features as given, as long as they; empty where it was
    /// not wanted.
    pub d_texts: Vec<f32>,
}

/// Unit features and, for each image, the classes it is compared with.
struct Pairs {
    images: UnitRows,
    texts: UnitRows,
    texts_of: TextsOf,
    classes: usize,
    ranges: Vec<Range<usize>>,
}

impl Pairs {
    /// Row of the text features that an image meets as a class.
    fn text(&self, image: usize, class: usize) -> usize {
        match self.texts_of {
            TextsOf::All => class,
            TextsOf::Each => image * self.classes + class,
        }
    }
}

impl LossHead {
    /// Loss and gradients.
    ///
    /// # Errors
    /// [`TrainError::Incompatible`](crate::TrainError::Incompatible) when sizes do not fit, or a target is no class that its image may
    /// have.
    pub fn step(&self, input: &LossInput) -> Result<LossOutput> {
        let pairs = input.pairs()?;
        let classes = pairs.classes;
        let logits = self.masked_logits(&pairs, input.mask);
        let even = 1.0 / input.batch.max(1) as f64;
        let share = |image: usize| match &input.weights {
            Some(weights) => weights.each[image] / weights.total,
            None => even,
        };
        let mut d_logits = vec![0.0; logits.len()];
        let losses: Vec<f64> = d_logits
            .par_chunks_exact_mut(classes.max(1))
            .zip(logits.par_chunks_exact(classes.max(1)))
            .zip(input.targets.par_iter().zip(&pairs.ranges))
            .enumerate()
            .map(|(image, ((d_row, row), (own, range)))| {
                self.image_loss(row, own, range, input.mask, share(image), d_row)
            })
            .collect();
        let wanted = |wanted: bool, gradient: fn(Self, &Pairs, &[f32]) -> Vec<f32>| {
            if wanted {
                gradient(*self, &pairs, &d_logits)
            } else {
                Vec::new()
            }
        };
        Ok(LossOutput {
            loss: losses.iter().sum(),
            d_images: wanted(input.d_images, Self::d_images),
            d_texts: wanted(input.d_texts, Self::d_texts),
            logits,
        })
    }

    fn masked_logits(self, pairs: &Pairs, mask: Mask) -> Vec<f32> {
        let others = if mask == Mask::PerTask {
            f32::NEG_INFINITY
        } else {
            0.0
        };
        let mut logits = vec![others; pairs.images.len() * pairs.classes];
        logits
            .par_chunks_exact_mut(pairs.classes.max(1))
            .enumerate()
            .for_each(|(image, row)| {
                for class in pairs.ranges[image].clone() {
                    let text = pairs.texts.row(pairs.text(image, class));
                    row[class] = self.scale * dot(pairs.images.row(image), text);
                }
            });
        logits
    }

    /// Loss of one image and its gradient in the image's logits.
    fn image_loss(
        self,
        row: &[f32],
        own: &[u32],
        range: &Range<usize>,
        mask: Mask,
        share: f64,
        d_row: &mut [f32],
    ) -> f64 {
        // Under `PerTask` the row is the task's alone, as if there were no other task.
        let seen = match mask {
            Mask::PerTask => range.clone(),
            Mask::Union | Mask::Zero => 0..row.len(),
        };
        let (first, classes) = (seen.start, seen.len());
        let (row, d_seen) = (&row[seen.clone()], &mut d_row[seen]);
        let loss = match self.loss {
            Loss::CrossEntropy => cross_entropy(row, own, first, share, d_seen),
            Loss::Binary => binary(row, own, first, share / classes as f64, d_seen),
        };
        if mask == Mask::Zero {
            // What is multiplied by 0 has no gradient, though it counts in the loss.
            d_row[..range.start].fill(0.0);
            d_row[range.end..].fill(0.0);
        }
        loss
    }

    fn d_images(self, pairs: &Pairs, d_logits: &[f32]) -> Vec<f32> {
        let width = pairs.images.width();
        let mut d_images = vec![0.0; pairs.images.rows().len()];
        d_images
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(image, d_row)| {
                for class in pairs.ranges[image].clone() {
                    let factor = self.scale * d_logits[image * pairs.classes + class];
                    add(d_row, factor, pairs.texts.row(pairs.text(image, class)));
                }
            });
        pairs.images.backward(&mut d_images);
        d_images
    }

    fn d_texts(self, pairs: &Pairs, d_logits: &[f32]) -> Vec<f32> {
        let (classes, width) = (pairs.classes, pairs.images.width());
        let mut d_texts = vec![0.0; pairs.texts.rows().len()];
        let rows = d_texts.par_chunks_exact_mut(width).enumerate();
        rows.for_each(|(text, d_row)| {
            let (images, class) = match pairs.texts_of {
                TextsOf::All => (0..pairs.images.len(), text),
                TextsOf::Each => (text / classes..text / classes + 1, text % classes),
            };
            for image in images {
                if pairs.ranges[image].contains(&class) {
                    let factor = self.scale * d_logits[image * classes + class];
                    add(d_row, factor, pairs.images.row(image));
                }
            }
        });
        pairs.texts.backward(&mut d_texts);
        d_texts
    }
}

#[cfg(test)]
mod mask_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod weight_tests;
