//! The images that hyper-parameters are chosen on: never test images, never those fitted to.

use std::collections::BTreeSet;

use vlpt_data::{Metric, Sample};

use super::Inputs;
use crate::metrics::{self, Scored, first_largest};
use crate::{Observer, Result};

/// Parts that training images are divided into, where there are no validation images.
const FOLDS: usize = 4;

/// Where the images come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum HeldOut {
    /// The run's validation images.
    Validation,
    /// The training images in turn: the part of each image, none for one that is never held out.
    Folds(Vec<Option<usize>>),
    /// There are none.
    Nothing,
}

/// One fit on some of the images, to be judged on others.
pub(super) struct Trial {
    /// Numbers of the training images to fit to.
    pub(super) fit: Vec<usize>,
    /// Features of the images to judge by, images x embed.
    pub(super) features: Vec<f32>,
    /// Their classes.
    pub(super) labels: Vec<Vec<u32>>,
}

impl HeldOut {
    /// The validation images, unless one of them is a training image too (as in published 1-shot
    /// subsets) or they cannot tell the metric; else folds of the training images; else nothing.
    pub(super) fn of(inputs: &Inputs, observer: &dyn Observer) -> Self {
        let ids: BTreeSet<String> = inputs.train.iter().map(|item| item.image.id()).collect();
        let own = inputs.val.iter().any(|item| ids.contains(&item.image.id()));
        if !inputs.val.is_empty() && !own {
            if measurable(inputs, inputs.val.iter()) {
                return Self::Validation;
            }
            observer.note("the validation images show too few classes to choose by them");
        }
        let folds = folds(inputs.train);
        let held = inputs.train.iter().zip(&folds);
        let held = held
            .filter(|(_, fold)| fold.is_some())
            .map(|(item, _)| item);
        if measurable(inputs, held) {
            Self::Folds(folds)
        } else {
            Self::Nothing
        }
    }

    /// As `metrics.json` says it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Validation => "validation images".to_owned(),
            Self::Folds(folds) => format!("{} folds of the training images", count(folds)),
            Self::Nothing => "nothing held out: the default".to_owned(),
        }
    }

    /// The fits to judge; none where nothing is held out.
    pub(super) fn trials(&self, inputs: &Inputs) -> Vec<Trial> {
        let labels = |items: &[Sample], images: &[usize]| -> Vec<Vec<u32>> {
            images.iter().map(|&i| items[i].labels.clone()).collect()
        };
        match self {
            Self::Nothing => Vec::new(),
            Self::Validation => {
                let all: Vec<usize> = (0..inputs.val.len()).collect();
                vec![Trial {
                    fit: (0..inputs.train.len()).collect(),
                    features: inputs.val_features.to_vec(),
                    labels: labels(inputs.val, &all),
                }]
            }
            Self::Folds(folds) => (0..count(folds))
                .map(|part| {
                    let (held, fit): (Vec<usize>, Vec<usize>) =
                        (0..folds.len()).partition(|&image| folds[image] == Some(part));
                    Trial {
                        fit,
                        // The first view, as an image that is classified has one.
                        features: super::rows(&inputs.views[0], &held, inputs.embed()),
                        labels: labels(inputs.train, &held),
                    }
                })
                .collect(),
        }
    }
}

fn count(folds: &[Option<usize>]) -> usize {
    folds.iter().flatten().max().map_or(0, |last| last + 1)
}

/// A part for each image, in turn within each class (of several, the first), so that all classes
/// lose alike. An image is never held out when one of its classes has no other.
fn folds(items: &[Sample]) -> Vec<Option<usize>> {
    let classes = items.iter().flat_map(|item| &item.labels).max();
    let mut total = vec![0; classes.map_or(0, |&last| last as usize + 1)];
    for &label in items.iter().flat_map(|item| &item.labels) {
        total[label as usize] += 1;
    }
    let most = total.iter().copied().max().unwrap_or(0).min(FOLDS);
    let mut seen = vec![0; total.len() + 1];
    items
        .iter()
        .map(|item| {
            if most < 2 || item.labels.iter().any(|&label| total[label as usize] < 2) {
                return None;
            }
            let class = item
                .labels
                .first()
                .map_or(total.len(), |&label| label as usize);
            seen[class] += 1;
            Some((seen[class] - 1) % most)
        })
        .collect()
}

/// Whether these images can tell the run's metric at all.
fn measurable<'a>(inputs: &Inputs, items: impl Iterator<Item = &'a Sample>) -> bool {
    let labels: Vec<Vec<u32>> = items.map(|item| item.labels.clone()).collect();
    let logits = vec![0.0; labels.len() * inputs.classes.len()];
    !labels.is_empty() && metric(inputs, &logits, &labels).is_ok()
}

/// The run's metric, computed as evaluation computes it.
pub(super) fn metric(inputs: &Inputs, logits: &[f32], labels: &[Vec<u32>]) -> Result<f64> {
    if inputs.metric == Metric::Accuracy && labels.iter().all(|own| own.len() == 1) {
        return Ok(accuracy(logits, labels));
    }
    let raw = Scored::from_f32(logits, inputs.classes.len(), labels.to_vec())?;
    let scored = match inputs.metric {
        Metric::RocAuc | Metric::ElevenPointMap => raw.softmax(),
        Metric::Accuracy | Metric::MeanPerClass => raw,
    };
    metrics::evaluate(inputs.metric, &scored)
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
    use crate::baseline::tests::item;

    #[test]
    fn folds_take_from_every_class_alike_and_leave_no_class_empty() {
        let labels: [&[u32]; 9] = [&[0], &[0], &[1], &[0], &[1], &[0], &[2], &[0], &[0, 1]];
        let items: Vec<Sample> = (0..9).map(|i| item(i, labels[i])).collect();
        let parts = [0, 1, 0, 2, 1, 3, 9, 0, 1].map(|part| (part < 9).then_some(part));
        assert_eq!(folds(&items), parts);
        let single: Vec<Sample> = (0..3).map(|i| item(i, &[i as u32])).collect();
        assert_eq!(folds(&single), [None; 3]);
        assert_eq!(folds(&[]), []);
    }
}
