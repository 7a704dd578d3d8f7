//! Whether probabilities mean what they say.

use serde::Serialize;

use super::Scored;
use super::scored::argmax;
use crate::{AdapterError, Result};

/// Largest difference of an image's probabilities from a sum of 1 that rounding explains.
const ROUNDING: f64 = 1e-3;

/// The reliability curve of the most probable classes, and what is read off it (Guo et al., "On
/// calibration of modern neural networks", 2017).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean over the images of the gap between confidence and accuracy of their bin, from 0 to 1.
    pub expected_error: f64,
    /// The largest gap of a bin.
    pub largest_error: f64,
    /// The bins from the least to the greatest confidence, empty ones included.
    pub bins: Vec<ReliabilityBin>,
}

/// Images whose most probable class has a probability above `low` and at most `high`; of the first bin
/// at least `low`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReliabilityBin {
    /// Lower edge.
    pub low: f64,
    /// Upper edge.
    pub high: f64,
    /// Number of images.
    pub images: usize,
    /// Mean probability of the most probable class; none without images.
    pub confidence: Option<f64>,
    /// Share of images whose most probable class is right; none without images.
    pub accuracy: Option<f64>,
}

impl Calibration {
    /// From probabilities (softmax) of images of one class each, in `bins` bins of equal width. The bins
    /// are those of scikit-learn's `calibration_curve`.
    ///
    /// # Errors
    /// [`AdapterError::Incompatible`] for no bins, images with no class or several, or scores that are no
    /// probabilities.
    pub fn new(scored: &Scored, bins: usize) -> Result<Self> {
        if bins == 0 {
            return Err(AdapterError::Incompatible {
                what: "a reliability curve of 0 bins: expected at least one".to_owned(),
                hint: None,
            });
        }
        let labels = scored.single_labels("calibration")?;
        check_probabilities(scored)?;
        // NumPy's linspace: a multiple of the step, and the end as it is given
        let step = 1.0 / bins as f64;
        let edge = |at: usize| if at == bins { 1.0 } else { at as f64 * step };
        let inner: Vec<f64> = (1..bins).map(edge).collect();
        let (mut images, mut right) = (vec![0_usize; bins], vec![0_usize; bins]);
        let mut sums = vec![0.0; bins];
        for (image, label) in labels.into_iter().enumerate() {
            let row = scored.row(image);
            let predicted = argmax(row.iter().copied().enumerate());
            let bin = inner.partition_point(|edge| *edge < row[predicted]);
            images[bin] += 1;
            sums[bin] += row[predicted];
            right[bin] += usize::from(predicted == label);
        }
        let bins: Vec<ReliabilityBin> = (0..bins)
            .map(|at| {
                let share = |sum: f64| (images[at] > 0).then(|| sum / images[at] as f64);
                ReliabilityBin {
                    low: edge(at),
                    high: edge(at + 1),
                    images: images[at],
                    confidence: share(sums[at]),
                    accuracy: share(right[at] as f64),
                }
            })
            .collect();
        let all = scored.images() as f64;
        let gaps = bins.iter().filter_map(|bin| {
            let gap = (bin.accuracy? - bin.confidence?).abs();
            Some((gap, bin.images as f64))
        });
        Ok(Self {
            expected_error: gaps.clone().map(|(gap, images)| gap * images).sum::<f64>() / all,
            largest_error: gaps.map(|(gap, _)| gap).fold(0.0, f64::max),
            bins,
        })
    }
}

/// The Brier score of probabilities: the mean over the images of the sum over the classes of the squared
/// difference from 1 for the true class and 0 for the others, from 0 to 2 (Brier, "Verification of
/// forecasts expressed in terms of probability", 1950). For two classes scikit-learn's
/// `brier_score_loss` is half of it.
///
/// # Errors
/// [`AdapterError::Incompatible`] for images with no class or several, or scores that are no
/// probabilities.
pub fn brier_score(scored: &Scored) -> Result<f64> {
    let labels = scored.single_labels("the Brier score")?;
    check_probabilities(scored)?;
    let of_image = |(image, label): (usize, usize)| -> f64 {
        let row = scored.row(image).iter().enumerate();
        row.map(|(class, p)| (p - f64::from(u8::from(class == label))).powi(2))
            .sum()
    };
    let sum: f64 = labels.into_iter().enumerate().map(of_image).sum();
    Ok(sum / scored.images() as f64)
}

fn check_probabilities(scored: &Scored) -> Result<()> {
    for image in 0..scored.images() {
        let row = scored.row(image);
        let sum: f64 = row.iter().sum();
        let between = row.iter().all(|p| (0.0..=1.0 + ROUNDING).contains(p));
        if !between || (sum - 1.0).abs() > ROUNDING {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "the scores of image {image} are no probabilities: their sum is {sum}"
                ),
                hint: Some("give the softmax of the logits".to_owned()),
            });
        }
    }
    Ok(())
}
