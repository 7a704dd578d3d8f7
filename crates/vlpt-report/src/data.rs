//! What a report shows, as plain numbers and texts.

use crate::picture::Picture;

/// A measured share with its interval, all from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The measured value.
    pub value: f64,
    /// Lower end of the interval (95 % unless the report says otherwise).
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One of the large numbers on top of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyNumber {
    /// What it is, in a few words.
    pub label: String,
    /// The number, as it is to be read.
    pub value: String,
    /// A line below: the interval, the number of images, ...
    pub detail: String,
}

/// A line of a two-column table: how a run was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What is said.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// One epoch of a learning curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurvePoint {
    /// Epochs done, from 1.
    pub epoch: usize,
    /// Mean training loss of the epoch.
    pub loss: f64,
    /// Accuracy on the training images as they were seen (0 to 1), where it was measured.
    pub train: Option<f64>,
    /// Accuracy on the validation images (0 to 1), where it was measured.
    pub val: Option<f64>,
}

/// How training went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// The epochs in order.
    pub points: Vec<CurvePoint>,
    /// The epoch whose prompt was kept.
    pub selected: Option<usize>,
}

/// Which classes were taken for which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Class names.
    pub classes: Vec<String>,
    /// `classes x classes` numbers of images, a row for each true class.
    pub counts: Vec<u32>,
}

impl Confusion {
    /// Counts pairs of true and predicted class; pairs outside of the classes are left out.
    pub fn from_pairs(classes: &[String], pairs: impl IntoIterator<Item = (usize, usize)>) -> Self {
        let n = classes.len();
        let mut counts = vec![0; n * n];
        for (truth, predicted) in pairs {
            if truth < n && predicted < n {
                counts[truth * n + predicted] += 1;
            }
        }
        Self {
            classes: classes.to_vec(),
            counts,
        }
    }

    /// Images of a true class that were predicted as a class.
    pub fn count(&self, truth: usize, predicted: usize) -> u32 {
        self.counts
            .get(truth * self.classes.len() + predicted)
            .copied()
            .unwrap_or(0)
    }

    /// Number of images of a true class.
    pub fn total(&self, truth: usize) -> u32 {
        (0..self.classes.len())
            .map(|predicted| self.count(truth, predicted))
            .sum()
    }

    /// Share of a true class that was predicted as a class, 0 where the class has no images.
    pub fn share(&self, truth: usize, predicted: usize) -> f64 {
        match self.total(truth) {
            0 => 0.0,
            total => f64::from(self.count(truth, predicted)) / f64::from(total),
        }
    }

    /// The pairs of different classes with the most mistakes: true, predicted, images. At most
    /// `most` of them, the worst first, ties in the order of the classes.
    pub fn worst(&self, most: usize) -> Vec<(usize, usize, u32)> {
        let n = self.classes.len();
        let mut pairs: Vec<_> = (0..n * n)
            .map(|i| (i / n, i % n, self.count(i / n, i % n)))
            .filter(|&(truth, predicted, count)| truth != predicted && count > 0)
            .collect();
        pairs.sort_by_key(|&(_, _, count)| std::cmp::Reverse(count));
        pairs.truncate(most);
        pairs
    }
}

/// One image with what the model made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// The image.
    pub picture: Picture,
    /// Its true class.
    pub truth: String,
    /// Predicted classes with their probabilities, the most probable first.
    pub predictions: Vec<(String, f64)>,
}

impl Example {
    /// Whether the most probable class is the true one.
    pub fn is_right(&self) -> bool {
        self.predictions
            .first()
            .is_some_and(|(class, _)| *class == self.truth)
    }
}

/// Zero-shot against tuned on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskResult {
    /// Name of the task.
    pub name: String,
    /// Number of classes.
    pub classes: usize,
    /// Number of test images.
    pub images: usize,
    /// Accuracy with the class names alone.
    pub zero_shot: Interval,
    /// Accuracy with the tuned prompt.
    pub tuned: Interval,
}

/// A share as a percentage with one decimal, such as `45.3 %`; a dash for what is not a number.
pub fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{:.1} %", 100.0 * share)
    } else {
        "\u{2013}".to_owned()
    }
}

impl Interval {
    /// The interval in words, such as `40.1 to 50.2 %`; a dash where it is not known.
    pub fn range(&self) -> String {
        if !(self.low.is_finite() && self.high.is_finite()) {
            return "\u{2013}".to_owned();
        }
        format!("{:.1} to {:.1} %", 100.0 * self.low, 100.0 * self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn abc() -> Confusion {
        let classes = ["a", "b", "c"].map(str::to_owned);
        Confusion::from_pairs(&classes, [(0, 0), (0, 1), (0, 1), (1, 2), (7, 0)])
    }

    #[test]
    fn a_confusion_counts_pairs_and_ignores_unknown_classes() {
        assert_eq!(abc().counts, [1, 2, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(abc().total(0), 3);
        assert_eq!(abc().share(2, 0), 0.0);
    }

    #[test]
    fn the_worst_pairs_come_first() {
        assert_eq!(abc().worst(5), [(0, 1, 2), (1, 2, 1)]);
        assert_eq!(abc().worst(1), [(0, 1, 2)]);
    }

    #[test]
    fn what_is_no_number_is_shown_as_a_dash() {
        assert_eq!(percent(0.4567), "45.7 %");
        assert_eq!(percent(f64::NAN), "\u{2013}");
    }
}
