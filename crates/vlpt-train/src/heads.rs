//! Baselines on features that are in memory: what a run fits, for whoever has the features.

use vlpt_adapter::metrics::{self, Scored};
use vlpt_adapter::{Classifier, ImageAdaptation};
use vlpt_clip::{Clip, Observer};
use vlpt_data::{Metric, Sample};
use vlpt_methods::head::{FittedHead, Head, HeadInputs, Labelled, Unprojected, first_largest};
use vlpt_methods::{Fit, MethodError};

use crate::sampler::epoch_order;
use crate::{Result, RunConfig, TrainingData};

/// The templates that do for any task.
const GENERAL_TEMPLATES: &str = "imagenet-80";

/// Images with their features.
#[derive(Debug, Clone, Copy)]
pub struct HeadImages<'a> {
    /// Training images.
    pub train: &'a [Sample],
    /// Their features, one block (images x embed) for each view; not normalised.
    pub views: &'a [Vec<f32>],
    /// Both kinds of images before the tower's last projection, for methods that
    /// [need](vlpt_methods::Needs::unprojected) them.
    pub unprojected: Option<Unprojected<'a>>,
    /// Validation images; can be none.
    pub val: &'a [Sample],
    /// Their features, images x embed; not normalised.
    pub val_features: &'a [f32],
}

/// Fits the baseline of a configuration; `data` says the task, its templates and the weights of classes.
///
/// # Errors
/// A method that is no baseline, options that make no sense, features that do not belong to the
/// images, or a stop that the observer asked for ([`MethodError::Stopped`]).
pub fn fit_head(
    config: &RunConfig,
    clip: &Clip,
    data: &TrainingData,
    given: &HeadImages,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    let task = &data.task;
    let Fit::Head(fit) = config.method.spec().fit else {
        let name = config.method.name();
        return Err(MethodError::Baseline { name }.into());
    };
    let class_weights = config.train.class_weights.of(data)?;
    let general = vlpt_data::catalogue::template_set(GENERAL_TEMPLATES);
    let [train_images, val_images] = [given.train, given.val].map(images);
    let inputs = HeadInputs {
        seed: config.seed,
        clip,
        classes: &task.classes,
        templates: &task.templates,
        general_templates: general.map_or(&[][..], |set| &set.templates),
        multi_label: task.multi_label,
        class_weights: class_weights.as_deref(),
        metric_name: task.metric.name(),
        metric: &|logits, labels| metric(task.metric, task.classes.len(), logits, labels),
        order: &|images, epoch| {
            if config.train.shuffle {
                epoch_order(images, config.seed, epoch)
            } else {
                (0..images).collect()
            }
        },
        train: labelled(&train_images),
        views: given.views,
        unprojected: given.unprojected,
        val: labelled(&val_images),
        val_features: given.val_features,
    };
    Ok(fit(&config.method, &inputs, observer)?)
}

/// The classifier that a fitted head is.
///
/// # Errors
/// Text features that are no numbers.
pub fn head_classifier(head: Head, clip: &Clip, classes: &[String]) -> Result<Classifier> {
    let embed = clip.config.embed_dim;
    Ok(match head {
        Head::Text(text) => Classifier::cosine(classes, embed, text, clip.logit_scale)?,
        Head::Projected { text, projection } => {
            let visual = ImageAdaptation::of_projection(projection);
            Classifier::cosine(classes, embed, text, clip.logit_scale)?.with_visual(Some(visual))
        }
        Head::Features(head) => Classifier::of_features(classes, embed, head),
    })
}

/// Names and labels of some images.
fn images(items: &[Sample]) -> (Vec<String>, Vec<Vec<u32>>) {
    let one = |item: &Sample| (item.image.id(), item.labels.clone());
    items.iter().map(one).unzip()
}

fn labelled((ids, labels): &(Vec<String>, Vec<Vec<u32>>)) -> Labelled<'_> {
    Labelled { ids, labels }
}

/// The metric of a task, computed as evaluation computes it; none where it is undefined.
pub(crate) fn metric(
    metric: Metric,
    classes: usize,
    logits: &[f32],
    labels: &[Vec<u32>],
) -> Option<f64> {
    if metric == Metric::Accuracy && labels.iter().all(|own| own.len() == 1) {
        return Some(accuracy(logits, labels));
    }
    let raw = Scored::from_f32(logits, classes, labels.to_vec()).ok()?;
    let scored = match metric {
        Metric::RocAuc | Metric::ElevenPointMap => raw.softmax(),
        Metric::Accuracy | Metric::MeanPerClass => raw,
    };
    metrics::evaluate(metric, &scored).ok()
}

/// Accuracy without a copy of anything, for it is asked for thousands of times.
fn accuracy(logits: &[f32], labels: &[Vec<u32>]) -> f64 {
    let rows = logits.chunks_exact((logits.len() / labels.len().max(1)).max(1));
    let right = rows
        .zip(labels)
        .filter(|(row, own)| own[0] as usize == first_largest(row));
    right.count() as f64 / labels.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_accuracy_is_the_metric() {
        let logits = [1.0, 2.0, 2.0, 3.0, 0.0, 3.0, -1.0, -2.0, -3.0];
        let labels = [vec![1], vec![2], vec![0]];
        let scored = Scored::from_f32(&logits, 3, labels.to_vec()).unwrap();
        let expected = metrics::evaluate(Metric::Accuracy, &scored).unwrap();
        assert_eq!(accuracy(&logits, &labels), expected);
        assert_eq!(expected, 2.0 / 3.0);
    }
}
