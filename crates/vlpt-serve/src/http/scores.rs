//! Classes with their scores, best first.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vlpt_adapter::Classifier;

/// A class and its score.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub(super) struct Score {
    /// The class.
    pub(super) label: String,
    /// Its probability, or what was asked for instead.
    pub(super) score: f32,
}

/// What logits become.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Apply {
    /// As the prompt says: a softmax, or for several labels an image the logistic function of each.
    #[default]
    Usual,
    /// A softmax.
    Softmax,
    /// The logistic function of each.
    Sigmoid,
    /// Nothing.
    None,
}

/// Scores of logits, in the order of the classes.
pub(super) fn of_logits(classifier: &Classifier, logits: Vec<f32>, apply: Apply) -> Vec<f32> {
    match apply {
        Apply::Usual => classifier.probabilities_of(logits),
        Apply::None => logits,
        Apply::Sigmoid => {
            let logistic = |logit: f32| (1.0 / (1.0 + f64::from(-logit).exp())) as f32;
            logits.into_iter().map(logistic).collect()
        }
        Apply::Softmax => {
            let top = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers = logits.iter().map(|&v| f64::from(v - top).exp());
            let powers: Vec<f64> = powers.collect();
            let sum: f64 = powers.iter().sum();
            powers
                .into_iter()
                .map(|power| (power / sum) as f32)
                .collect()
        }
    }
}

/// The best classes, best first, equal ones in the order of the classes.
pub(super) fn best(classes: &[String], scores: &[f32], top: Option<usize>) -> Vec<Score> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    order.truncate(top.unwrap_or(usize::MAX));
    let score = |place: usize| Score {
        label: classes[place].clone(),
        score: scores[place],
    };
    order.into_iter().map(score).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_ties_keep_their_order() {
        let classes: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let best = best(&classes, &[0.1, 0.4, 0.1, 0.4], Some(3));
        let labels: Vec<&str> = best.iter().map(|score| score.label.as_str()).collect();
        assert_eq!(labels, ["b", "d", "a"]);
    }
}
