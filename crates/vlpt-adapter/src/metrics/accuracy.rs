//! Top-1 accuracy.

use super::scored::argmax;
use super::{Resampled, Scored};
use crate::Result;

/// Share of images whose class with the largest score is the true one.
pub(super) struct Accuracy {
    right: Vec<bool>,
}

impl Accuracy {
    pub(super) fn new(scored: &Scored) -> Result<Self> {
        let labels = scored.single_labels("accuracy")?;
        let predicted = |image| argmax(scored.row(image).iter().copied().enumerate());
        let right = labels
            .iter()
            .enumerate()
            .map(|(image, &own)| predicted(image) == own);
        Ok(Self {
            right: right.collect(),
        })
    }
}

impl Resampled for Accuracy {
    fn value(&self, times: &[u32]) -> Option<f64> {
        let all: u64 = times.iter().map(|&n| u64::from(n)).sum();
        let right = self.right.iter().zip(times).filter(|(right, _)| **right);
        let right: u64 = right.map(|(_, &n)| u64::from(n)).sum();
        (all > 0).then(|| right as f64 / all as f64)
    }

    fn shares(&self) -> Option<Vec<(u64, u64)>> {
        let right = self.right.iter().filter(|right| **right).count();
        Some(vec![(right as u64, self.right.len() as u64)])
    }

    fn undefined(&self) -> &'static str {
        "accuracy of no images"
    }
}
