//! The images that hyper-parameters are chosen on: never test images, never those fitted to.

use std::collections::BTreeSet;

use vlpt_clip::Observer;

use crate::head::{HeadInputs, Labelled, rows};

/// Parts that training images are divided into, where there are no validation images.
const FOLDS: usize = 4;

/// Where the images come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeldOut {
    /// The run's validation images.
    Validation,
    /// The training images in turn: the part of each image, none for one that is never held out.
    Folds(Vec<Option<usize>>),
    /// There are none.
    Nothing,
}

/// One fit on some of the images, to be judged on others.
pub(crate) struct Trial {
    /// Numbers of the training images to fit to.
    pub(crate) fit: Vec<usize>,
    /// Features of the images to judge by, images x embed.
    pub(crate) features: Vec<f32>,
    /// Their classes.
    pub(crate) labels: Vec<Vec<u32>>,
}

impl HeldOut {
    /// The validation images, unless one of them is a training image too (as in published 1-shot
    /// subsets) or they cannot tell the metric; else folds of the training images; else nothing.
    pub(crate) fn of(inputs: &HeadInputs, observer: &dyn Observer) -> Self {
        let ids: BTreeSet<&String> = inputs.train.ids.iter().collect();
        let own = inputs.val.ids.iter().any(|id| ids.contains(id));
        if !inputs.val.is_empty() && !own {
            if measurable(inputs, inputs.val.labels.iter()) {
                return Self::Validation;
            }
            observer.note("the validation images show too few classes to choose by them");
        }
        let folds = folds(inputs.train.labels);
        let held = inputs.train.labels.iter().zip(&folds);
        let held = held
            .filter(|(_, fold)| fold.is_some())
            .map(|(labels, _)| labels);
        if measurable(inputs, held) {
            Self::Folds(folds)
        } else {
            Self::Nothing
        }
    }

    /// As `metrics.json` says it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Validation => "validation images".to_owned(),
            Self::Folds(folds) => format!("{} folds of the training images", count(folds)),
            Self::Nothing => "nothing held out: the default".to_owned(),
        }
    }

    /// The fits to judge; none where nothing is held out.
    pub(crate) fn trials(&self, inputs: &HeadInputs) -> Vec<Trial> {
        let labels = |of: Labelled, images: &[usize]| -> Vec<Vec<u32>> {
            images.iter().map(|&i| of.labels[i].clone()).collect()
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
                        features: rows(&inputs.views[0], &held, inputs.embed()),
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
fn folds(images: &[Vec<u32>]) -> Vec<Option<usize>> {
    let classes = images.iter().flatten().max();
    let mut total = vec![0; classes.map_or(0, |&last| last as usize + 1)];
    for &label in images.iter().flatten() {
        total[label as usize] += 1;
    }
    let most = total.iter().copied().max().unwrap_or(0).min(FOLDS);
    let mut seen = vec![0; total.len() + 1];
    images
        .iter()
        .map(|labels| {
            if most < 2 || labels.iter().any(|&label| total[label as usize] < 2) {
                return None;
            }
            let class = labels.first().map_or(total.len(), |&label| label as usize);
            seen[class] += 1;
            Some((seen[class] - 1) % most)
        })
        .collect()
}

/// Whether these images can tell the run's metric at all.
fn measurable<'a>(inputs: &HeadInputs, labels: impl Iterator<Item = &'a Vec<u32>>) -> bool {
    let labels: Vec<Vec<u32>> = labels.cloned().collect();
    let logits = vec![0.0; labels.len() * inputs.classes.len()];
    !labels.is_empty() && (inputs.metric)(&logits, &labels).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_take_from_every_class_alike_and_leave_no_class_empty() {
        let labels: [&[u32]; 9] = [&[0], &[0], &[1], &[0], &[1], &[0], &[2], &[0], &[0, 1]];
        let images: Vec<Vec<u32>> = labels.iter().map(|own| own.to_vec()).collect();
        let parts = [0, 1, 0, 2, 1, 3, 9, 0, 1].map(|part| (part < 9).then_some(part));
        assert_eq!(folds(&images), parts);
        let single: Vec<Vec<u32>> = (0..3).map(|i| vec![i]).collect();
        assert_eq!(folds(&single), [None; 3]);
        assert_eq!(folds(&[]), []);
    }
}
