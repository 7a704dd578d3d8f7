//! What an evaluation is worth where an answer may also be none.

use serde::Serialize;
use vlpt_data::Sample;
use vlpt_methods::head::first_largest;

use crate::metrics::wilson;
use crate::{AdapterError, Result};

/// The images whose most probable class is at least so probable, and how many of these are right.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AtThreshold {
    /// The least probability of an answer.
    pub threshold: f64,
    /// Number of images with an answer.
    pub answered: usize,
    /// Their share of all images.
    pub coverage: f64,
    /// Share of the images with an answer whose answer is right; none without any.
    pub accuracy: Option<f64>,
    /// Lower end of its interval, by Wilson.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
}

impl AtThreshold {
    /// From probabilities (images x classes) of images of one class each.
    ///
    /// # Errors
    /// A threshold that is no probability, or an image of none or several classes.
    pub(crate) fn of(
        threshold: f64,
        probabilities: &[f32],
        items: &[Sample],
        classes: usize,
        confidence: f64,
    ) -> Result<Self> {
        check_threshold(threshold)?;
        let (mut answered, mut right) = (0, 0);
        for (row, item) in probabilities.chunks_exact(classes.max(1)).zip(items) {
            let [label] = item.labels[..] else {
                return Err(AdapterError::Incompatible {
                    what: format!(
                        "a threshold needs one class an image, but {} has {}",
                        item.image.id(),
                        item.labels.len()
                    ),
                    hint: Some("leave --threshold out".to_owned()),
                });
            };
            let top = first_largest(row);
            if is_answer(row[top], threshold) {
                answered += 1;
                right += usize::from(top == label as usize);
            }
        }
        let share = |of: usize| right as f64 / of as f64;
        let ends = wilson(right as u64, answered as u64, confidence);
        let some = answered > 0;
        Ok(Self {
            threshold,
            answered,
            coverage: answered as f64 / items.len().max(1) as f64,
            accuracy: some.then(|| share(answered)),
            low: some.then_some(ends.0),
            high: some.then_some(ends.1),
        })
    }
}

/// Whether a class of this probability is an answer and not none.
pub fn is_answer(probability: f32, threshold: f64) -> bool {
    // In the precision of probabilities, so that 0.9 is 0.9.
    probability >= threshold as f32
}

/// Refuses a threshold that is no probability.
///
/// # Errors
/// [`AdapterError::Incompatible`].
pub fn check_threshold(threshold: f64) -> Result<()> {
    if (0.0..=1.0).contains(&threshold) {
        return Ok(());
    }
    Err(AdapterError::Incompatible {
        what: format!("a threshold of {threshold}: expected a probability from 0 to 1"),
        hint: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_and_accuracy_are_of_the_answers() {
        let drawn = vlpt_data::synthetic::task("shapes", 0).unwrap();
        let items: Vec<Sample> = [0, 1, 1, 0]
            .into_iter()
            .zip(drawn.test.samples)
            .map(|(label, sample)| Sample {
                labels: vec![label],
                ..sample
            })
            .collect();
        let rows = [0.9, 0.1, 0.6, 0.4, 0.2, 0.8, 0.5, 0.5];
        let at = |threshold| AtThreshold::of(threshold, &rows, &items, 2, 0.95).unwrap();
        let all = at(0.0);
        assert_eq!((all.coverage, all.accuracy), (1.0, Some(0.75)));
        let sure = at(0.7);
        assert_eq!(
            (sure.answered, sure.coverage, sure.accuracy),
            (2, 0.5, Some(1.0))
        );
        assert!(sure.low.unwrap() < 0.5);
        // Exactly as probable is enough; and nothing may be left.
        assert_eq!(at(0.5).answered, 4);
        let none = at(0.95);
        assert_eq!((none.answered, none.accuracy, none.low), (0, None, None));
        for wrong in [-0.1, 1.1, f64::NAN] {
            assert!(AtThreshold::of(wrong, &rows, &items, 2, 0.95).is_err());
        }
    }
}
