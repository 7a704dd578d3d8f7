//! Confusion matrix and per-class accuracy.

use super::Scored;
use super::scored::argmax;
use crate::Result;

/// How often images of each class are taken for each class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confusion {
    counts: Vec<u64>,
    classes: usize,
}

impl Confusion {
    /// Counts predictions by the largest score (the first of equal ones) among all classes.
    ///
    /// # Errors
    /// [`crate::AdapterError::Incompatible`] when an image has no class or several.
    pub fn new(scored: &Scored) -> Result<Self> {
        let classes = scored.classes();
        let mut counts = vec![0; classes * classes];
        for (image, label) in scored
            .single_labels("a confusion matrix")?
            .into_iter()
            .enumerate()
        {
            let predicted = argmax(scored.row(image).iter().copied().enumerate());
            counts[label * classes + predicted] += 1;
        }
        Ok(Self { counts, classes })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// The images of one true class, by the class they are taken for.
    pub fn row(&self, truth: usize) -> &[u64] {
        &self.counts[truth * self.classes..(truth + 1) * self.classes]
    }

    /// Share of each class's images that are predicted right, 0 to 1; `None` for a class without
    /// images.
    pub fn per_class_accuracy(&self) -> Vec<Option<f64>> {
        let share = |class: usize| {
            let shown: u64 = self.row(class).iter().sum();
            (shown > 0).then(|| self.row(class)[class] as f64 / shown as f64)
        };
        (0..self.classes).map(share).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_true_class_by_predicted_class() {
        let scores = vec![1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        let scored = Scored::new(scores, 3, vec![vec![0], vec![0], vec![1]]).unwrap();
        let confusion = Confusion::new(&scored).unwrap();
        assert_eq!(confusion.row(0), [1, 1, 0]);
        assert_eq!(confusion.row(1), [0, 1, 0]);
        assert_eq!(confusion.per_class_accuracy(), [Some(0.5), Some(1.0), None]);
    }
}
