//! A classifier is text features: one normalised vector for each class, and a scale.

use rayon::prelude::*;
use vlpt_clip::Clip;
use vlpt_methods::zeroshot::{self, normalise};

use crate::loss::{Loss, LossHead, UnitRows};
use crate::{Result, TrainError};

/// Text features of classes, ready to be compared with images.
#[derive(Debug, Clone, PartialEq)]
pub struct Classifier {
    /// Class names.
    pub classes: Vec<String>,
    /// Normalised text features, row-major (classes x embed).
    pub features: Vec<f32>,
    /// Size of the joint space.
    pub embed: usize,
    /// What cosine similarities are multiplied by.
    pub logit_scale: f32,
}

impl Classifier {
    /// A classifier from text features that are not normalised yet (classes x embed).
    pub(crate) fn new(clip: &Clip, classes: &[String], mut features: Vec<f32>) -> Self {
        let embed = clip.config.embed_dim;
        features.chunks_exact_mut(embed).for_each(normalise);
        Self {
            classes: classes.to_vec(),
            features,
            embed,
            logit_scale: clip.logit_scale,
        }
    }

    /// The zero-shot classifier of a model.
    ///
    /// # Errors
    /// No template, a template without a place for the name, or a text that is too long.
    pub fn zero_shot(clip: &Clip, classes: &[String], templates: &[String]) -> Result<Self> {
        let features = zeroshot::classifier(clip, classes, templates)?;
        Ok(Self {
            classes: classes.to_vec(),
            features,
            embed: clip.config.embed_dim,
            logit_scale: clip.logit_scale,
        })
    }

    /// Checks that a task has the same classes in the same order.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_classes(&self, classes: &[String]) -> Result<()> {
        let (ours, theirs) = (&self.classes, classes);
        let what = match ours.iter().zip(theirs).position(|(a, b)| a != b) {
            Some(i) => format!(
                "class {i} is \"{}\", the task's is \"{}\"",
                ours[i], theirs[i]
            ),
            None if ours.len() != theirs.len() => {
                format!("{} classes, the task has {}", ours.len(), theirs.len())
            }
            None => return Ok(()),
        };
        Err(TrainError::OtherClasses { what })
    }

    /// Logits of images (images x classes): scaled cosine similarities. `images` holds image
    /// features (images x embed), normalised or not.
    ///
    /// # Errors
    /// A number of values that is not a multiple of the classifier's width.
    pub fn logits(&self, images: &[f32]) -> Result<Vec<f32>> {
        let head = LossHead {
            loss: Loss::CrossEntropy,
            scale: self.logit_scale,
        };
        let images = UnitRows::new(images, self.embed)?;
        head.logits(&images, &UnitRows::new(&self.features, self.embed)?)
    }

    /// Probabilities of images (images x classes): the softmax of [`Classifier::logits`].
    ///
    /// # Errors
    /// As [`Classifier::logits`].
    pub fn probabilities(&self, images: &[f32]) -> Result<Vec<f32>> {
        let mut rows = self.logits(images)?;
        if !self.classes.is_empty() {
            rows.par_chunks_exact_mut(self.classes.len())
                .for_each(softmax);
        }
        Ok(rows)
    }
}

/// The softmax of one row, in f64 inside.
fn softmax(row: &mut [f32]) {
    let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = row.iter().map(|&v| f64::from(v - top).exp()).collect();
    let sum: f64 = powers.iter().sum();
    for (value, power) in row.iter_mut().zip(powers) {
        *value = (power / sum) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Classifier {
        Classifier {
            classes: vec!["a".to_owned(), "b".to_owned()],
            features: vec![1.0, 0.0, 0.0, 1.0],
            embed: 2,
            logit_scale: 10.0,
        }
    }

    #[test]
    fn logits_are_scaled_cosines_whatever_the_length_of_a_feature() {
        assert_eq!(
            example().logits(&[3.0, 4.0, 0.0, 0.5]).unwrap(),
            [6.0, 8.0, 0.0, 10.0]
        );
    }

    #[test]
    fn probabilities_sum_to_one_even_for_huge_logits() {
        let classifier = Classifier {
            logit_scale: 1e4,
            ..example()
        };
        let rows = classifier.probabilities(&[1.0, 0.0, 1.0, 1.0]).unwrap();
        assert_eq!(rows, [1.0, 0.0, 0.5, 0.5]);
    }

    #[test]
    fn the_first_class_that_differs_is_named() {
        let error = example()
            .check_classes(&["a".to_owned(), "c".to_owned()])
            .unwrap_err();
        assert!(
            error.to_string().contains("\"b\", the task's is \"c\""),
            "{error}"
        );
        assert!(example().check_classes(&["a".to_owned()]).is_err());
        assert!(example().check_classes(&example().classes).is_ok());
    }
}
