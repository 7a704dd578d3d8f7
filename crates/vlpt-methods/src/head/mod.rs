//! Classifiers of image features, and how they are fitted: what baselines are made of.

mod inputs;
mod stored;
mod unit_rows;
mod unprojected;

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use vlpt_clip::Observer;

use crate::{MethodConfig, Result};

pub use inputs::{HeadInputs, Labelled, Metric};
pub use stored::{HeadFile, HeadReader, HeadTensor, ReadHead};
pub use unit_rows::{UnitRows, add, dot};
pub use unprojected::{Unprojected, ViewRows};

/// Fits a classifier to image features. The result does not depend on the number of threads.
///
/// # Errors
/// Options that make no sense, features and images that do not go together, templates that cannot
/// be used, or a stop that the observer asked for.
pub type FitHead = fn(&MethodConfig, &HeadInputs, &dyn Observer) -> Result<FittedHead>;

/// A fitted classifier of image features.
#[derive(Debug, Clone)]
pub struct FittedHead {
    /// What it is made of.
    pub head: Head,
    /// The templates that class names went into, where they did.
    pub templates: Option<Vec<String>>,
    /// Number of values that were learned.
    pub parameters: usize,
    /// The task's metric on the validation images, where there are some that were not trained on.
    pub val: Option<f64>,
    /// The epochs of training, where there was any.
    pub epochs: Vec<FitEpoch>,
    /// Hyper-parameters, by what they were chosen, and what was measured.
    pub metrics: Value,
    /// The method with what was chosen on images held out, as if it had been given; none where nothing
    /// was. A fit by it to other images of the task has logits of the same scale; but for methods that train with
    /// other numbers before they choose, a fit by it to the same images is this one.
    pub settled: Option<MethodConfig>,
}

/// The parts of a classifier of image features.
#[derive(Debug, Clone)]
pub enum Head {
    /// Normalised text features, classes x embed: cosines with them, times the logit scale.
    Text(Vec<f32>),
    /// The same, for images whose features another projection makes.
    Projected {
        /// Normalised text features, classes x embed.
        text: Vec<f32>,
        /// The image tower's projection, width x embed.
        projection: Vec<f32>,
    },
    /// Something of the method's own.
    Features(Arc<dyn FeatureHead>),
}

/// One epoch of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitEpoch {
    /// Its number, counted from 1.
    pub epoch: usize,
    /// The learning rate of its last step.
    pub lr: f64,
    /// Mean loss.
    pub loss: f64,
    /// Share of training images whose most probable class was right.
    pub train_accuracy: f64,
}

/// A function from image features to logits that needs neither texts nor a tower.
pub trait FeatureHead: Any + Debug + Send + Sync {
    /// What `classifier.safetensors` calls it.
    fn kind(&self) -> &'static str;

    /// Logits (images x classes) of image features as the tower gives them (images x embed).
    ///
    /// # Errors
    /// A number of values that is not a multiple of its width.
    fn logits(&self, images: &[f32]) -> Result<Vec<f32>>;

    /// Whether a class's probability is the logistic function of its own logit, as of classes that an
    /// image may show together; else the classes share one by softmax.
    fn separate(&self) -> bool {
        false
    }

    /// The same for some of its classes alone, in this order; a logit keeps its bits.
    fn part(&self, classes: &[usize]) -> Arc<dyn FeatureHead>;

    /// What it computes, for programs that know nothing of it; none where matrices alone do not say it.
    fn matrices(&self) -> Option<HeadMatrices> {
        None
    }

    /// Its tensors and facts, from which [`HeadReader`] makes it again.
    fn stored(&self) -> HeadFile;

    /// For whoever knows the type.
    fn as_any(&self) -> &dyn Any;
}

/// A head as matrices: logits of an image feature `x` are `x W^T + b`, plus those of a cache.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadMatrices {
    /// `W`, classes x embed.
    pub weight: Vec<f32>,
    /// What `W` is multiplied with.
    pub scale: f64,
    /// `b`, one for each class; none where all are 0.
    pub bias: Option<Vec<f32>>,
    /// Whether `x` is divided by its length.
    pub normalised: bool,
    /// Images that a new one is compared with.
    pub cache: Option<CacheMatrices>,
}

/// A cache of images: `alpha exp(beta (u K^T - 1)) V` is added to the logits, where `u` is the feature
/// divided by its length.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheMatrices {
    /// `K`, keys x embed.
    pub keys: Vec<f32>,
    /// `V`, keys x classes: 1 for the classes of each key's image.
    pub values: Vec<f32>,
    /// Weight of the cache.
    pub alpha: f64,
    /// Sharpness of the cache.
    pub beta: f64,
}

/// Every row of `images` times every row of `classes`, each sum in f64 and in order: images x
/// classes.
pub fn products(images: &[f32], classes: &[f32], width: usize) -> Vec<f32> {
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

/// The first of the largest of a row of scores; 0 for an empty row.
pub fn first_largest(row: &[f32]) -> usize {
    let mut best: Option<(usize, f32)> = None;
    for (at, &value) in row.iter().enumerate() {
        if best.is_none_or(|(_, known)| value > known) {
            best = Some((at, value));
        }
    }
    best.map_or(0, |(at, _)| at)
}

/// The rows of some images or classes.
pub(crate) fn rows(features: &[f32], images: &[usize], embed: usize) -> Vec<f32> {
    let row = |&image: &usize| &features[image * embed..(image + 1) * embed];
    images.iter().flat_map(row).copied().collect()
}
