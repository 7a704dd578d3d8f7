//! Mean per-class accuracy.

use super::scored::argmax;
use super::{Resampled, Scored};
use crate::Result;

/// Mean over the classes of the share of a class's images that are predicted right (scikit-learn's
/// balanced accuracy). As in ELEVATER, a class that no image shows is taken out of the scores
/// before the class with the largest score is looked for.
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
        let mut shown = vec![0_u64; self.scored.classes()];
        for (&label, &n) in self.labels.iter().zip(times) {
            shown[label] += u64::from(n);
        }
        let mut right = vec![0_u64; self.scored.classes()];
        for (image, &n) in times.iter().enumerate().filter(|(_, n)| **n > 0) {
            let mut predicted = self.predicted[image];
            if shown[predicted] == 0 {
                let row = self.scored.row(image).iter().copied().enumerate();
                predicted = argmax(row.filter(|(class, _)| shown[*class] > 0));
            }
            if predicted == self.labels[image] {
                right[predicted] += u64::from(n);
            }
        }
        let shares = right.iter().zip(&shown).filter(|(_, shown)| **shown > 0);
        let present = shares.clone().count();
        let sum: f64 = shares
            .map(|(&right, &shown)| right as f64 / shown as f64)
            .sum();
        (present > 0).then(|| sum / present as f64)
    }

    fn undefined(&self) -> &'static str {
        "mean per-class accuracy of no images"
    }
}
