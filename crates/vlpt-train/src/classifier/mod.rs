//! A classifier: from image features to a logit for each class, whatever method made it.
//!
//! | kind | made by | holds |
//! |---|---|---|
//! | cosine | prompts without images, zero-shot | text features and a scale |
//! | conditional | prompts made of each image ([`PromptMethod::conditional`]) | the method and its texts |
//! | linear | the linear probe | weights and biases |
//! | cached | Tip-Adapter | features of training images beside text features |
//!
//! Where [`Classifier::visual`] holds prompts, image features must be made under them: see
//! [`FeatureMaker::prompts`](crate::FeatureMaker::prompts) and
//! [`embed_images`](crate::embed_images).

mod conditional;
mod part;

use std::fmt;
use std::sync::Arc;

use rayon::prelude::*;
use vlpt_clip::{Clip, Slot};
use vlpt_methods::baselines::TipAdapter;
use vlpt_methods::zeroshot::{self, normalise};
use vlpt_methods::{Pass, PromptMethod, Visual, VisualValues};

use crate::loss::{Loss, LossHead, UnitRows};
use crate::{Result, TrainError};

pub(crate) use conditional::copies;

/// What turns image features into a logit for each class.
#[derive(Clone)]
pub struct Classifier {
    /// Class names, in the order of the logits.
    pub classes: Vec<String>,
    /// Length of an image feature.
    pub embed: usize,
    /// The visual prompts that images must be embedded with; none: the tower as it is.
    pub visual: Option<VisualValues>,
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
    /// As `Cosine`, with text features of each image's own.
    Conditional {
        /// Makes the prompts of an image.
        method: Arc<dyn PromptMethod>,
        /// The slots of one image's texts, one text a class.
        texts: Vec<Vec<Slot>>,
        /// What cosine similarities are multiplied by.
        logit_scale: f32,
    },
    /// `x W^T + b` on image features.
    Linear {
        /// Whether features are divided by their length first.
        normalised: bool,
        /// Classes x embed.
        weight: Vec<f32>,
        /// One for each class.
        bias: Vec<f32>,
    },
    /// Cosine similarities with texts and with training images.
    Cached(TipAdapter),
}

impl Classifier {
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

    /// The linear probe: `x W^T + b`, where `x` is an image feature, divided by its length when
    /// `normalised`; `weight` is classes x embed and `bias` has one value a class.
    ///
    /// # Errors
    /// Another number of values.
    pub fn linear(
        classes: &[String],
        embed: usize,
        weight: Vec<f32>,
        bias: Vec<f32>,
        normalised: bool,
    ) -> Result<Self> {
        check_length("weights", &weight, classes.len(), embed)?;
        check_length("biases", &bias, classes.len(), 1)?;
        Ok(Self::with_head(
            classes,
            embed,
            Head::Linear {
                normalised,
                weight,
                bias,
            },
        ))
    }

    /// Tip-Adapter: text features and a cache of training images.
    ///
    /// # Errors
    /// A cache of other classes or sizes.
    pub fn cached(classes: &[String], adapter: TipAdapter) -> Result<Self> {
        adapter.check()?;
        check_length("text features", &adapter.text, classes.len(), adapter.embed)?;
        let embed = adapter.embed;
        Ok(Self::with_head(classes, embed, Head::Cached(adapter)))
    }

    /// A classifier of these parts.
    pub(crate) fn with_head(classes: &[String], embed: usize, head: Head) -> Self {
        Self {
            classes: classes.to_vec(),
            embed,
            visual: None,
            head,
        }
    }

    /// The same classifier for images that are embedded with these prompts.
    #[must_use]
    pub fn with_visual(mut self, visual: Option<VisualValues>) -> Self {
        self.visual = visual;
        self
    }

    /// A classifier from text features of the model that are not normalised yet (classes x embed).
    pub(crate) fn new(clip: &Clip, classes: &[String], mut features: Vec<f32>) -> Self {
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

    /// The classifier of a method's parameters as they are, with its visual prompts. A conditional
    /// method is kept and follows later changes of its parameters; any other is read once.
    ///
    /// # Errors
    /// Class names that the method cannot be used with.
    pub fn of_method(
        clip: &Clip,
        method: Arc<dyn PromptMethod>,
        classes: &[String],
    ) -> Result<Self> {
        let texts = method.texts(&clip.tokenizer, classes)?;
        if method.conditional() {
            return Ok(Self::with_head(
                classes,
                clip.config.embed_dim,
                Head::Conditional {
                    method,
                    texts,
                    logit_scale: clip.logit_scale,
                },
            ));
        }
        let prompts = method.prompts(&Pass::EVAL)?;
        let visual = prompts.visual.as_ref().map(Visual::values).transpose()?;
        let features = clip.text.features(&texts, &prompts.text_values()?);
        Ok(Self::new(clip, classes, features).with_visual(visual))
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
            Head::Cosine { features, .. } => Some(features),
            Head::Conditional { .. } | Head::Linear { .. } | Head::Cached(_) => None,
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
        Err(TrainError::OtherClasses { what })
    }

    /// Logits (images x classes) of image features (images x embed), normalised or not, that were
    /// made by `clip` under [`Classifier::visual`].
    ///
    /// # Errors
    /// A number of values that is not a multiple of the classifier's width, or a method that
    /// refused the images.
    pub fn logits(&self, clip: &Clip, images: &[f32]) -> Result<Vec<f32>> {
        let units = UnitRows::new(images, self.embed)?;
        match &self.head {
            Head::Cosine {
                features,
                logit_scale,
            } => {
                let head = LossHead {
                    loss: Loss::CrossEntropy,
                    scale: *logit_scale,
                };
                head.logits(&units, &UnitRows::new(features, self.embed)?)
            }
            Head::Conditional {
                method,
                texts,
                logit_scale,
            } => conditional::logits(clip, method.as_ref(), texts, *logit_scale, units.rows()),
            Head::Linear {
                normalised,
                weight,
                bias,
            } => {
                let rows = if *normalised { units.rows() } else { images };
                let mut logits = products(rows, weight, self.embed);
                for row in logits.chunks_exact_mut(bias.len().max(1)) {
                    row.iter_mut().zip(bias).for_each(|(v, b)| *v += b);
                }
                Ok(logits)
            }
            Head::Cached(adapter) => Ok(adapter.logits(images)?),
        }
    }

    /// Probabilities of images (images x classes): the softmax of [`Classifier::logits`].
    ///
    /// # Errors
    /// As [`Classifier::logits`].
    pub fn probabilities(&self, clip: &Clip, images: &[f32]) -> Result<Vec<f32>> {
        Ok(self.probabilities_of(self.logits(clip, images)?))
    }

    /// Probabilities from [`Classifier::logits`]: their softmax.
    pub(crate) fn probabilities_of(&self, mut logits: Vec<f32>) -> Vec<f32> {
        if !self.classes.is_empty() {
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
            Head::Conditional { method, .. } => method.name(),
            Head::Linear { .. } => "linear",
            Head::Cached(_) => "cached",
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
    Err(TrainError::Unfit {
        what: format!(
            "{} values of {what}: expected {rows} x {width}",
            values.len()
        ),
        hint: None,
    })
}

/// Every row of `images` times every row of `classes`, each sum in f64 and in order.
fn products(images: &[f32], classes: &[f32], width: usize) -> Vec<f32> {
    images
        .par_chunks_exact(width)
        .flat_map_iter(|image| {
            classes.chunks_exact(width).map(move |class| {
                let terms = image.iter().zip(class);
                terms
                    .map(|(&a, &b)| f64::from(a) * f64::from(b))
                    .sum::<f64>() as f32
            })
        })
        .collect()
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
