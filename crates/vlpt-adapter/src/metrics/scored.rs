//! Scores of images against the classes they show.

use vlpt_data::{Metric, Sample};

use crate::{AdapterError, Result};

/// Scores and true classes of the images of one split: what every metric is computed from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    scores: Vec<f64>,
    classes: usize,
    labels: Vec<Vec<u32>>,
    among_all: bool,
}

impl Scored {
    /// `scores` is images x classes, row-major; `labels` holds each image's true classes: one, or
    /// many, or none in a multi-label task.
    ///
    /// # Errors
    /// [`AdapterError::Incompatible`] for no images, sizes that do not fit, a label beyond the classes or
    /// given twice, or a score that is not a number.
    pub fn new(scores: Vec<f64>, classes: usize, labels: Vec<Vec<u32>>) -> Result<Self> {
        let incompatible = |what: String| Err(AdapterError::Incompatible { what, hint: None });
        if labels.is_empty() || classes == 0 {
            let images = labels.len();
            return incompatible(format!(
                "scores of {images} images for {classes} classes: expected at least one of each"
            ));
        }
        if scores.len() != labels.len() * classes {
            return incompatible(format!(
                "{} scores for {} images and {classes} classes: expected {}",
                scores.len(),
                labels.len(),
                labels.len() * classes
            ));
        }
        if let Some(at) = scores.iter().position(|score| score.is_nan()) {
            return incompatible(format!(
                "the score of image {} for class {} is not a number",
                at / classes,
                at % classes
            ));
        }
        for (image, own) in labels.iter().enumerate() {
            if let Some(label) = own.iter().find(|&&label| label as usize >= classes) {
                return incompatible(format!(
                    "image {image} has class {label}: expected a number below {classes}"
                ));
            }
            if let Some(at) = (1..own.len()).find(|&at| own[..at].contains(&own[at])) {
                return incompatible(format!("image {image} has class {} twice", own[at]));
            }
        }
        Ok(Self {
            scores,
            classes,
            labels,
            among_all: false,
        })
    }

    /// The same, with every class there to choose from in every metric, also one that no image shows:
    /// for images of some classes of a classifier that tells more apart.
    #[must_use]
    pub fn among_all(mut self) -> Self {
        self.among_all = true;
        self
    }

    /// Whether classes that no image shows can be chosen in every metric.
    pub fn chosen_among_all(&self) -> bool {
        self.among_all
    }

    /// As [`Scored::new`], from f32 scores (widened, so order and ties stay).
    ///
    /// # Errors
    /// As [`Scored::new`].
    pub fn from_f32(scores: &[f32], classes: usize, labels: Vec<Vec<u32>>) -> Result<Self> {
        Self::new(
            scores.iter().map(|&score| f64::from(score)).collect(),
            classes,
            labels,
        )
    }

    /// Number of images.
    pub fn images(&self) -> usize {
        self.labels.len()
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The scores of one image, one a class.
    pub fn row(&self, image: usize) -> &[f64] {
        &self.scores[image * self.classes..(image + 1) * self.classes]
    }

    /// The true classes of one image.
    pub fn labels(&self, image: usize) -> &[u32] {
        &self.labels[image]
    }

    /// The same images with each row of scores turned into probabilities (softmax). The order of
    /// classes within an image stays, that of images within a class may not: 11-point mAP and
    /// ROC-AUC differ between logits and probabilities.
    #[must_use]
    pub fn softmax(&self) -> Self {
        let mut scores = Vec::with_capacity(self.scores.len());
        for row in self.scores.chunks_exact(self.classes) {
            let max = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let powers = row.iter().map(|score| (score - max).exp());
            let sum: f64 = powers.clone().sum();
            scores.extend(powers.map(|power| power / sum));
        }
        Self {
            scores,
            classes: self.classes,
            labels: self.labels.clone(),
            among_all: self.among_all,
        }
    }

    /// The same images with all scores divided by a temperature above 0, for softmax thereafter.
    #[must_use]
    pub fn divided_by(&self, temperature: f64) -> Self {
        let divided = self.scores.iter().map(|score| score / temperature);
        Self {
            scores: divided.collect(),
            ..self.clone()
        }
    }

    /// The one true class of each image; an error where an image has none or several.
    pub(super) fn single_labels(&self, metric: &str) -> Result<Vec<usize>> {
        let one = |(image, own): (usize, &Vec<u32>)| match own.as_slice() {
            [label] => Ok(*label as usize),
            _ => Err(AdapterError::Incompatible {
                what: format!(
                    "{metric} needs one class an image, but image {image} has {}",
                    own.len()
                ),
                hint: Some("a multi-label task is judged by 11point_mAP".to_owned()),
            }),
        };
        self.labels.iter().enumerate().map(one).collect()
    }
}

/// Scores and labels of a split in the form that `metric` takes: probabilities for ROC-AUC and
/// 11-point mAP, else logits.
///
/// # Errors
/// Numbers of logits or labels that do not fit each other.
pub fn scored_for(
    metric: Metric,
    logits: &[f32],
    items: &[Sample],
    classes: usize,
) -> Result<Scored> {
    let labels = items.iter().map(|item| item.labels.clone()).collect();
    let raw = Scored::from_f32(logits, classes, labels)?;
    Ok(match metric {
        Metric::RocAuc | Metric::ElevenPointMap => raw.softmax(),
        Metric::Accuracy | Metric::MeanPerClass => raw,
    })
}

/// The first of the largest values, as NumPy's argmax; 0 for an empty row.
pub(super) fn argmax(row: impl IntoIterator<Item = (usize, f64)>) -> usize {
    let mut best: Option<(usize, f64)> = None;
    for (at, value) in row {
        if best.is_none_or(|(_, known)| value > known) {
            best = Some((at, value));
        }
    }
    best.map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_equal_maxima_wins() {
        assert_eq!(argmax([1.0, 3.0, 3.0].into_iter().enumerate()), 1);
        assert_eq!(argmax([f64::NEG_INFINITY; 2].into_iter().enumerate()), 0);
    }

    #[test]
    fn sizes_labels_and_numbers_are_checked() {
        let refused = |scores: &[f64], classes, labels: &[&[u32]]| {
            let labels = labels.iter().map(|own| own.to_vec()).collect();
            Scored::new(scores.to_vec(), classes, labels)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(&[], 2, &[]).contains("0 images"));
        assert!(refused(&[0.0; 3], 2, &[&[0], &[1]]).contains("expected 4"));
        assert!(refused(&[0.0, f64::NAN], 2, &[&[0]]).contains("image 0 for class 1"));
        assert!(refused(&[0.0; 2], 2, &[&[2]]).contains("below 2"));
        assert!(refused(&[0.0; 2], 2, &[&[1, 1]]).contains("twice"));
    }

    #[test]
    fn softmax_gives_probabilities_even_of_huge_logits() {
        let scored = Scored::new(vec![1000.0, 1000.0], 2, vec![vec![0]]).unwrap();
        assert_eq!(scored.softmax().row(0), [0.5, 0.5]);
    }
}
