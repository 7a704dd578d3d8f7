//! Probabilities made to mean what they say: one number that all logits are divided by.

use rayon::prelude::*;

/// The temperature that makes held-out labels most likely: logits (images x classes) are divided by it.
///
/// The likelihood is that of C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural
/// networks" (ICML 2017), of labels that are right up to one image more than there are (J. Platt,
/// "Probabilistic outputs for support vector machines", 1999): the share `1 / (images + 2)` of each
/// label goes to all classes alike, so that images that are all right do not ask for certainty. It has
/// one minimum, since the negative log-likelihood is convex in the inverse of the temperature, and is
/// found by halving.
pub fn temperature(logits: &[f32], classes: usize, labels: &[usize]) -> f64 {
    let off = 1.0 / (labels.len() as f64 + 2.0);
    // The derivative by the inverse temperature grows with it.
    let slope = |inverse: f64| -> f64 {
        let terms: Vec<f64> = logits
            .par_chunks_exact(classes)
            .zip(labels)
            .map(|(row, &label)| {
                let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let (mut weights, mut mean, mut plain) = (0.0, 0.0, 0.0);
                for &logit in row {
                    let below = f64::from(logit - top);
                    let weight = (inverse * below).exp();
                    weights += weight;
                    mean += weight * below;
                    plain += below / classes as f64;
                }
                let target = (1.0 - off) * f64::from(row[label] - top) + off * plain;
                mean / weights - target
            })
            .collect();
        terms.iter().sum()
    };
    let (mut low, mut high) = (LEAST.ln(), MOST.ln());
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if slope(middle.exp()) < 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    (-f64::midpoint(low, high)).exp()
}

/// Inverse temperatures that are looked at.
const LEAST: f64 = 1e-4;
const MOST: f64 = 1e4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_all_right_do_not_ask_for_certainty() {
        let logits = [3.0, 0.0, 0.0, 3.0, 2.5, 0.0];
        let found = temperature(&logits, 2, &[0, 1, 0]);
        assert!(found > 0.5 && found < 10.0, "{found}");
    }
}
