//! Mean per-class accuracy.

use super::scored::argmax;
use super::{Resampled, Scored};
use crate::Result;

/// Mean over the classes of the share of a class's images that are predicted right (scikit-learn's
/// balanced accuracy). As in ELEVATER, a class that no image shows is taken out of the scores
/// before the class with the largest score is looked for, unless all are there to choose from.
pub(super) struct MeanPerClass {
    scored: Scored,
    labels: Vec<usize>,
    /// Prediction among all classes: still right wherever that class is present.
    predicted: Vec<usize>,
}

impl MeanPerClass {
    pub(super) fn new(scored: &Scored) -> Result<Self> {
        let labels = scored.single_labels("mean_per_class")?;
        let predicted = (0..scored.images())
            .map(|image| argmax(scored.row(image).iter().copied().enumerate()))
            .collect();
        Ok(Self {
            scored: scored.clone(),
            labels,
            predicted,
        })
    }
}

impl Resampled for MeanPerClass {
    fn value(&self, times: &[u32]) -> Option<f64> {
        let shares = self.counts(times);
        let sum: f64 = shares
            .iter()
            .map(|&(right, shown)| right as f64 / shown as f64)
            .sum();
        (!shares.is_empty()).then(|| sum / shares.len() as f64)
    }

    fn shares(&self) -> Option<Vec<(u64, u64)>> {
        Some(self.counts(&vec![1; self.labels.len()]))
    }

    fn undefined(&self) -> &'static str {
        "mean per-class accuracy of no images"
    }
}

impl MeanPerClass {
    /// Of each class that images show: how many are predicted right, and how many there are.
    fn counts(&self, times: &[u32]) -> Vec<(u64, u64)> {
        let mut shown = vec![0_u64; self.scored.classes()];
        for (&label, &n) in self.labels.iter().zip(times) {
            shown[label] += u64::from(n);
        }
        let mut right = vec![0_u64; self.scored.classes()];
        for (image, &n) in times.iter().enumerate().filter(|(_, n)| **n > 0) {
            let mut predicted = self.predicted[image];
            if shown[predicted] == 0 && !self.scored.chosen_among_all() {
                let row = self.scored.row(image).iter().copied().enumerate();
                predicted = argmax(row.filter(|(class, _)| shown[*class] > 0));
            }
            if predicted == self.labels[image] {
                right[predicted] += u64::from(n);
            }
        }
        let pairs = right.into_iter().zip(shown);
        pairs.filter(|&(_, shown)| shown > 0).collect()
    }
}
