//! A classifier on a task's images: the task's own metric with its interval, and what is behind it.

use std::path::PathBuf;

use serde::Serialize;
use vlpt_clip::{Clip, Observer};
use vlpt_data::image::{Limits, Preprocess};
use vlpt_data::{Metric, Sample, Split, Task};

use crate::metrics::{self, Bootstrap, Calibration, Confusion, IntervalKind, Scored};
use crate::{
    AdapterError, AtThreshold, ClassesOf, Classifier, DEFAULT_IMAGE_BATCH, EvalImages,
    FeatureExtractor, Result,
};

/// Bins of the reliability curve, as Guo et al. (2017) have them.
const CALIBRATION_BINS: usize = 15;

/// A split of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// Training images.
    Train,
    /// Validation images.
    Val,
    /// Test images.
    Test,
}

impl SplitName {
    /// The name on the command line and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Val => "val",
            Self::Test => "test",
        }
    }

    /// The split of a task.
    ///
    /// # Errors
    /// The task has no such split, or no image in it.
    pub fn of(self, task: &Task) -> Result<&Split> {
        let split = match self {
            Self::Train => Some(&task.train),
            Self::Val => task.val.as_ref(),
            Self::Test => Some(&task.test),
        };
        split
            .filter(|split| !split.is_empty())
            .ok_or_else(|| AdapterError::NoImages {
                task: task.name.clone(),
                split: self.name(),
            })
    }
}

/// Whose classes an evaluation chooses among, and what the data calls its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Whose they are.
    pub of: ClassesOf,
    /// The data's classes, of which all are among them under some spelling.
    pub data_classes: Vec<String>,
}

/// What an evaluation looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct EvalOptions {
    /// The images.
    pub split: SplitName,
    /// How the interval is found.
    pub bootstrap: Bootstrap,
    /// Rank probabilities and not logits in 11-point mAP, as ELEVATER's toolkit does; MVLPT ranks
    /// logits. Other metrics do not depend on it, ROC-AUC always takes probabilities.
    pub softmax_scores: bool,
    /// Whose classes the choices are, where they are not simply the data's own.
    pub chosen: Option<Chosen>,
    /// The least probability of an answer, where less counts as none.
    pub threshold: Option<f64>,
    /// What logits are divided by for a second look at the probabilities, found on images that are not
    /// these.
    pub temperature: Option<f64>,
    /// Folder of the feature cache; none: features are computed anew.
    pub cache: Option<PathBuf>,
    /// Images in the tower at once.
    pub image_batch: usize,
}

impl Default for EvalOptions {
    fn default() -> Self {
        Self {
            split: SplitName::Test,
            bootstrap: Bootstrap::default(),
            softmax_scores: true,
            chosen: None,
            threshold: None,
            temperature: None,
            cache: None,
            image_batch: DEFAULT_IMAGE_BATCH,
        }
    }
}

/// The result of an evaluation; shares are from 0 to 1.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The task's name.
    pub task: String,
    /// The split.
    pub split: SplitName,
    /// Number of images.
    pub images: usize,
    /// Images of the split that cannot be decoded and were left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub left_out: usize,
    /// Names of the classes that were the choices.
    pub classes: Vec<String>,
    /// Whose classes these are.
    pub classes_of: ClassesOf,
    /// The data's classes, where these are not the choices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_classes: Option<Vec<String>>,
    /// The task's metric.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
    /// Lower end of the interval; not a number where it is unknown.
    pub low: f64,
    /// Upper end of the interval; not a number where it is unknown.
    pub high: f64,
    /// How the ends were found.
    pub interval: IntervalKind,
    /// Confidence of the interval.
    pub confidence: f64,
    /// Share of images whose most probable class is right; none with several labels.
    pub accuracy: Option<f64>,
    /// Share of images with the right class among the five most probable; none with several labels.
    pub accuracy_top5: Option<f64>,
    /// Mean over the classes of the accuracy within a class; none with several labels.
    pub mean_per_class: Option<f64>,
    /// The same with every class there to be predicted, also one that no image shows: scikit-learn's
    /// balanced accuracy of the predictions.
    #[serde(skip)]
    pub balanced_accuracy: Option<f64>,
    /// Mean over all classes of the average precision; none with one label an image.
    #[serde(skip)]
    pub average_precision: Option<f64>,
    /// Macro F1; none with several labels.
    pub macro_f1: Option<f64>,
    /// Brier score of the softmax, from 0 to 2; none with several labels.
    pub brier_score: Option<f64>,
    /// Reliability curve of the softmax and its errors; none with several labels.
    pub calibration: Option<Calibration>,
    /// What of that changes when logits are divided by a temperature; none without one, and with several
    /// labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaled: Option<Scaled>,
    /// Accuracy within each class; none for a class without images. Empty with several labels.
    pub per_class: Vec<Option<f64>>,
    /// Images by true class (row) and predicted class (column). Empty with several labels.
    pub confusion: Vec<Vec<u64>>,
    /// What is left where answers below a threshold count as none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<AtThreshold>,
    /// The most probable class of each image, in the order of the split.
    #[serde(skip)]
    pub predictions: Vec<u32>,
    /// Probabilities (images x classes), in the order of the split.
    #[serde(skip)]
    pub probabilities: Vec<f32>,
}

/// Probabilities of logits divided by a temperature (Guo et al., "On calibration of modern neural networks",
/// 2017). No answer changes, only how sure it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scaled {
    /// What the logits were divided by.
    pub temperature: f64,
    /// Brier score of the softmax, from 0 to 2.
    pub brier_score: f64,
    /// Reliability curve of the softmax and its errors.
    pub calibration: Calibration,
}

impl Scaled {
    fn of(raw: &Scored, temperature: f64) -> Result<Self> {
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(AdapterError::Incompatible {
                what: format!("a temperature of {temperature}: expected a number above 0"),
                hint: None,
            });
        }
        let soft = raw.divided_by(temperature).softmax();
        Ok(Self {
            temperature,
            brier_score: metrics::brier_score(&soft)?,
            calibration: Calibration::new(&soft, CALIBRATION_BINS)?,
        })
    }
}

/// Evaluates a classifier on a split of a task.
///
/// # Errors
/// Classes that are not the task's, a split without images, an image that cannot be read, or a
/// metric that is undefined on these images.
pub fn evaluate(
    clip: &Clip,
    classifier: &Classifier,
    task: &Task,
    preprocess: &Preprocess,
    options: &EvalOptions,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    let images = EvalImages::new(options.split.of(task)?.samples.clone());
    evaluate_images(
        clip, classifier, task, &images, preprocess, options, observer,
    )
}

/// [`evaluate`] on given images of a task, such as those that other evaluations look at too: what
/// does not depend on the classifier is then made once. `options.split` is only written down.
///
/// # Errors
/// As [`evaluate`].
pub fn evaluate_images(
    clip: &Clip,
    classifier: &Classifier,
    task: &Task,
    images: &EvalImages,
    preprocess: &Preprocess,
    options: &EvalOptions,
    observer: &dyn Observer,
) -> Result<Evaluation> {
    classifier.check_classes(&task.classes)?;
    let extractor = FeatureExtractor {
        clip,
        preprocess: preprocess.clone(),
        limits: Limits::default(),
        batch: options.image_batch,
        adaptation: classifier.visual.clone(),
        cache: options.cache.clone(),
    };
    let features = images.features(&extractor, observer)?;
    from_features(clip, classifier, task, images.items(), &features, options)
}

fn from_features(
    clip: &Clip,
    classifier: &Classifier,
    task: &Task,
    items: &[Sample],
    features: &[f32],
    options: &EvalOptions,
) -> Result<Evaluation> {
    let c = task.classes.len();
    let logits = classifier.logits(clip, features)?;
    let labels: Vec<Vec<u32>> = items.iter().map(|item| item.labels.clone()).collect();
    let mut raw = Scored::from_f32(&logits, c, labels)?;
    let data_classes = options.chosen.as_ref().map(|chosen| &chosen.data_classes);
    let data_classes = data_classes.filter(|own| **own != task.classes);
    if data_classes.is_some_and(|own| own.len() < c) {
        raw = raw.among_all();
    }
    let soft = raw.softmax();
    let probable = task.metric == Metric::RocAuc || options.softmax_scores;
    let judged = if probable { &soft } else { &raw };
    let interval = options.bootstrap.interval(task.metric, judged)?;
    let single = !task.multi_label;
    let share = |metric| single.then(|| metrics::evaluate(metric, &raw)).transpose();
    let balanced =
        single.then(|| metrics::evaluate(Metric::MeanPerClass, &raw.clone().among_all()));
    let curve = single.then(|| Calibration::new(&soft, CALIBRATION_BINS));
    let scaled = options.temperature.filter(|_| single);
    let scaled = scaled.map(|temperature| Scaled::of(&raw, temperature));
    let confusion = single.then(|| Confusion::new(&raw)).transpose()?;
    let accuracy_top5 = single.then(|| top_accuracy(&logits, items, c, 5));
    let predictions = logits
        .chunks_exact(c)
        .map(|row| vlpt_methods::head::first_largest(row) as u32)
        .collect();
    let probabilities = classifier.probabilities_of(logits);
    let confidence = options.bootstrap.confidence;
    let threshold = options
        .threshold
        .map(|least| AtThreshold::of(least, &probabilities, items, c, confidence));
    Ok(Evaluation {
        task: task.name.clone(),
        split: options.split,
        images: items.len(),
        left_out: left_out(task, options.split),
        classes: task.classes.clone(),
        classes_of: options
            .chosen
            .as_ref()
            .map_or(ClassesOf::Data, |chosen| chosen.of),
        data_classes: data_classes.cloned(),
        metric: task.metric,
        value: interval.value,
        low: interval.low,
        high: interval.high,
        interval: interval.kind,
        confidence,
        accuracy: share(Metric::Accuracy)?,
        accuracy_top5,
        mean_per_class: share(Metric::MeanPerClass)?,
        macro_f1: single.then(|| metrics::macro_f1(&raw)).transpose()?,
        brier_score: single.then(|| metrics::brier_score(&soft)).transpose()?,
        calibration: curve.transpose()?,
        scaled: scaled.transpose()?,
        balanced_accuracy: balanced.transpose()?,
        average_precision: (!single).then(|| metrics::mean_average_precision(&raw)),
        per_class: confusion
            .as_ref()
            .map_or_else(Vec::new, Confusion::per_class_accuracy),
        confusion: confusion.map_or_else(Vec::new, |all| {
            (0..c).map(|truth| all.row(truth).to_vec()).collect()
        }),
        predictions,
        threshold: threshold.transpose()?,
        probabilities,
    })
}

/// Images that are not judged because they cannot be decoded.
fn left_out(task: &Task, split: SplitName) -> usize {
    let all = task.provenance.left_out.iter();
    all.filter(|image| image.split == split.name()).count()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde's way to ask
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Share of images whose class is among the `k` largest logits; of equal ones the first count.
fn top_accuracy(logits: &[f32], items: &[Sample], classes: usize, k: usize) -> f64 {
    let right = logits
        .chunks_exact(classes)
        .zip(items)
        .filter(|(row, item)| {
            item.labels.iter().any(|&label| {
                let label = label as usize;
                let before = row
                    .iter()
                    .enumerate()
                    .filter(|&(i, &v)| v > row[label] || (v == row[label] && i < label))
                    .count();
                before < k
            })
        });
    right.count() as f64 / items.len().max(1) as f64
}
