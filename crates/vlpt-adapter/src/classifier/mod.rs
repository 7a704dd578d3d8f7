//! A classifier: from image features to a logit for each class, whatever method made it.
//!
//! | kind | made by | holds |
//! |---|---|---|
//! | cosine | prompts without images, zero-shot | text features and a scale |
//! | fused | prompts under which an image has two features ([`Fusion`](vlpt_methods::Fusion)) | the same, and what the first one counts for each class |
//! | conditional | prompts made of each image ([`Needs::texts_per_image`](vlpt_methods::Needs::texts_per_image)) | the method and its texts |
//! | features | baselines | weights, or what else the baseline keeps ([`FeatureHead`]) |
//!
//! Where [`Classifier::visual`] holds prompts, image features must be made under them: see
//! [`FeatureExtractor::prompts`](crate::FeatureExtractor::prompts) and
//! [`embed_images`](crate::embed_images).

mod conditional;
mod fused;
mod of_method;
mod part;
mod rows;

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use vlpt_clip::{Clip, PromptToken};
use vlpt_methods::head::FeatureHead;
use vlpt_methods::zeroshot::{self, normalise};
use vlpt_methods::{Method, UnitRows};

use crate::{AdapterError, ImageAdaptation, Result};

pub use conditional::copies;

/// What turns image features into a logit for each class.
#[derive(Clone)]
pub struct Classifier {
    /// Class names, in the order of the logits.
    pub classes: Vec<String>,
    /// Length of an image feature.
    pub embed: usize,
    /// What images must be embedded with; none: the tower as it is.
    pub visual: Option<ImageAdaptation>,
    /// What logits are divided by; 1 where nothing was calibrated.
    temperature: f32,
    head: Head,
}

/// The kinds of classifiers.
#[derive(Clone)]
pub(crate) enum Head {
    /// Scaled cosine similarity to one text feature a class.
    Cosine {
        /// Normalised text features, classes x embed.
        features: Vec<f32>,
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
    },
    /// As `Cosine`, for images of two features each: of the class token, and of the learned rows.
    Fused {
        /// Normalised text features, classes x embed.
        features: Vec<f32>,
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
        /// For each class the share of the first feature in its logit, 0 to 1.
        shares: Vec<f32>,
    },
    /// As `Cosine`, with text features of each image's own.
    Conditional {
        /// Makes the prompts of an image.
        method: Arc<dyn Method>,
        /// The slots of one image's texts, one text a class.
        texts: Vec<Vec<PromptToken>>,
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
    },
    /// What a baseline was fitted to.
    Features(Arc<dyn FeatureHead>),
}

/// What a classifier is made of, for whoever computes its logits elsewhere.
#[derive(Debug, Clone, Copy)]
pub enum ClassifierParts<'a> {
    /// Scaled cosine similarity to one text feature a class.
    Cosine {
        /// Normalised text features, classes x embed.
        features: &'a [f32],
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
    },
    /// The same of images with two features each, one for the class token and one for the learned rows.
    Fused {
        /// Normalised text features, classes x embed.
        features: &'a [f32],
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
        /// For each class the share of the first feature in its logit, 0 to 1.
        shares: &'a [f32],
    },
    /// Text features of each image's own.
    Conditional {
        /// The name of the method that makes them.
        method: &'static str,
    },
    /// What a baseline was fitted to.
    Features(&'a dyn FeatureHead),
}

impl Classifier {
    /// What it is made of.
    pub fn parts(&self) -> ClassifierParts<'_> {
        match &self.head {
            Head::Cosine {
                features,
                logit_scale,
            } => ClassifierParts::Cosine {
                features,
                logit_scale: *logit_scale,
            },
            Head::Fused {
                features,
                logit_scale,
                shares,
            } => ClassifierParts::Fused {
                features,
                logit_scale: *logit_scale,
                shares,
            },
            Head::Conditional { method, .. } => ClassifierParts::Conditional {
                method: method.name(),
            },
            Head::Features(head) => ClassifierParts::Features(head.as_ref()),
        }
    }

    /// Whether a class's probability is the logistic function of its own logit, as of classes that an
    /// image may show together; else the classes share one by softmax.
    pub fn separate(&self) -> bool {
        matches!(&self.head, Head::Features(head) if head.separate())
    }

    /// Scaled cosine similarities to text features (classes x embed), which need not be of length
    /// one.
    ///
    /// # Errors
    /// A number of values that is not classes x embed.
    pub fn cosine(
        classes: &[String],
        embed: usize,
        mut features: Vec<f32>,
        logit_scale: f32,
    ) -> Result<Self> {
        check_length("text features", &features, classes.len(), embed)?;
        check_texts(classes, &features)?;
        features.par_chunks_exact_mut(embed).for_each(normalise);
        Ok(Self::with_head(
            classes,
            embed,
            Head::Cosine {
                features,
                logit_scale,
            },
        ))
    }

    /// A classifier of image features of a method's own.
    pub fn of_features(classes: &[String], embed: usize, head: Arc<dyn FeatureHead>) -> Self {
        Self::with_head(classes, embed, Head::Features(head))
    }

    /// A classifier of these parts.
    pub(crate) fn with_head(classes: &[String], embed: usize, head: Head) -> Self {
        Self {
            classes: classes.to_vec(),
            embed,
            visual: None,
            temperature: 1.0,
            head,
        }
    }

    /// The same classifier with its logits divided by a temperature, as held-out images asked for
    /// (Guo et al., "On calibration of modern neural networks", ICML 2017). Which class is the most
    /// probable stays as it is.
    #[must_use]
    pub fn with_temperature(mut self, temperature: f64) -> Self {
        self.temperature = temperature as f32;
        self
    }

    /// The same classifier for images that are embedded with this. Of a classifier that reads one
    /// feature of an image, a second one is left away.
    #[must_use]
    pub fn with_visual(mut self, visual: Option<ImageAdaptation>) -> Self {
        self.visual = match self.head {
            Head::Fused { .. } => visual,
            _ => visual.map(ImageAdaptation::of_class_token),
        };
        self
    }

    /// A classifier from text features of the model that are not normalised yet (classes x embed).
    pub fn new(clip: &Clip, classes: &[String], mut features: Vec<f32>) -> Self {
        let embed = clip.config.embed_dim;
        features.chunks_exact_mut(embed).for_each(normalise);
        let logit_scale = clip.logit_scale;
        Self::with_head(
            classes,
            embed,
            Head::Cosine {
                features,
                logit_scale,
            },
        )
    }

    /// The zero-shot classifier of a model.
    ///
    /// # Errors
    /// No template, a template without a place for the name, or a text that is too long.
    pub fn zero_shot(clip: &Clip, classes: &[String], templates: &[String]) -> Result<Self> {
        let features = zeroshot::classifier(clip, classes, templates)?;
        Self::cosine(classes, clip.config.embed_dim, features, clip.logit_scale)
    }

    /// Normalised text features (classes x embed), where the classifier has some that do not depend
    /// on the image.
    pub fn text_features(&self) -> Option<&[f32]> {
        match &self.head {
            Head::Cosine { features, .. } | Head::Fused { features, .. } => Some(features),
            Head::Conditional { .. } | Head::Features(_) => None,
        }
    }

    /// What the classifier is made of.
    pub(crate) fn head(&self) -> &Head {
        &self.head
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
        Err(AdapterError::OtherClasses { what })
    }

    /// Logits (images x classes) of image features (images x embed, or x 2 embed where an image has
    /// two), normalised or not, that were made by `clip` under [`Classifier::visual`]; divided by the
    /// temperature where there is one.
    ///
    /// # Errors
    /// A number of values that is not a multiple of the classifier's width, a method that
    /// refused the images, or logits that are not finite.
    pub fn logits(&self, clip: &Clip, images: &[f32]) -> Result<Vec<f32>> {
        let units = UnitRows::new(images, self.embed)?;
        let mut logits = match &self.head {
            Head::Cosine {
                features,
                logit_scale,
            } => units.logits(&UnitRows::new(features, self.embed)?, *logit_scale)?,
            Head::Fused {
                features,
                logit_scale,
                shares,
            } => {
                let texts = UnitRows::new(features, self.embed)?;
                fused::logits(&units, &texts, *logit_scale, shares)?
            }
            Head::Conditional {
                method,
                texts,
                logit_scale,
            } => conditional::logits(clip, method.as_ref(), texts, *logit_scale, units.rows())?,
            Head::Features(head) => head.logits(images)?,
        };
        if self.temperature != 1.0 {
            for logit in &mut logits {
                *logit /= self.temperature;
            }
        }
        // An infinite one would make its probability NaN.
        if logits.iter().any(|logit| !logit.is_finite()) {
            return Err(AdapterError::NotFinite {
                what: "the scores of an image".to_owned(),
            });
        }
        Ok(logits)
    }

    /// Probabilities of images (images x classes) from [`Classifier::logits`]: their softmax, or of a
    /// baseline whose classes an image may show together the logistic function of each
    /// ([`FeatureHead::separate`]).
    ///
    /// # Errors
    /// As [`Classifier::logits`].
    pub fn probabilities(&self, clip: &Clip, images: &[f32]) -> Result<Vec<f32>> {
        Ok(self.probabilities_of(self.logits(clip, images)?))
    }

    /// Probabilities from [`Classifier::logits`].
    pub fn probabilities_of(&self, mut logits: Vec<f32>) -> Vec<f32> {
        if self.separate() {
            for logit in &mut logits {
                *logit = (1.0 / (1.0 + f64::from(-*logit).exp())) as f32;
            }
        } else if !self.classes.is_empty() {
            logits
                .par_chunks_exact_mut(self.classes.len())
                .for_each(softmax);
        }
        logits
    }
}

impl fmt::Debug for Classifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = match &self.head {
            Head::Cosine { .. } => "cosine",
            Head::Fused { .. } => "fused",
            Head::Conditional { method, .. } => method.name(),
            Head::Features(head) => head.kind(),
        };
        f.debug_struct("Classifier")
            .field("head", &head)
            .field("classes", &self.classes)
            .field("embed", &self.embed)
            .finish_non_exhaustive()
    }
}

fn check_length(what: &str, values: &[f32], rows: usize, width: usize) -> Result<()> {
    if width > 0 && values.len() == rows * width {
        return Ok(());
    }
    Err(AdapterError::Incompatible {
        what: format!(
            "{} values of {what}: expected {rows} x {width}",
            values.len()
        ),
        hint: None,
    })
}

/// Refuses text features that are no numbers or have no direction, by the class.
fn check_texts(classes: &[String], features: &[f32]) -> Result<()> {
    let rows = features.chunks_exact((features.len() / classes.len().max(1)).max(1));
    let broken = |(row, _): &(&[f32], &String)| row.iter().any(|value| !value.is_finite());
    match rows.clone().zip(classes).find(broken) {
        Some((_, class)) => Err(AdapterError::NotFinite {
            what: format!("the text features of the class `{class}`"),
        }),
        None => match rows
            .zip(classes)
            .find(|(row, _)| row.iter().all(|v| *v == 0.0))
        {
            Some((_, class)) => Err(AdapterError::Incompatible {
                what: format!("the text features of the class `{class}` are all 0"),
                hint: None,
            }),
            None => Ok(()),
        },
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
mod tests;
