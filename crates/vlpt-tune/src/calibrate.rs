//! Temperature of probabilities, and the least probability of an answer, from held-out logits.

use rayon::prelude::*;

/// The temperature that makes held-out labels most likely: logits (photos x classes) are divided by it.
///
/// The likelihood is that of C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On calibration of modern neural
/// networks" (ICML 2017), of labels that are right up to one photo more than there are (J. Platt,
/// "Probabilistic outputs for support vector machines", 1999): the share `1 / (photos + 2)` of each
/// label goes to all classes alike, so that photos that are all right do not ask for certainty. It has
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

/// Probabilities (photos x classes) of logits divided by a temperature.
pub fn probabilities(logits: &[f32], classes: usize, temperature: f64) -> Vec<f32> {
    let mut all = logits.to_vec();
    all.par_chunks_exact_mut(classes).for_each(|row| {
        let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers = row
            .iter()
            .map(|&v| (f64::from(v - top) / temperature).exp());
        let powers: Vec<f64> = powers.collect();
        let sum: f64 = powers.iter().sum();
        for (value, power) in row.iter_mut().zip(powers) {
            *value = (power / sum) as f32;
        }
    });
    all
}

/// The least probability of an answer under which at most the share `rate` of photos of the classes is
/// rejected; none where there are too few held-out photos to say (fewer than `1 / rate - 1`).
///
/// With `n` held-out photos it is the `floor(rate (n + 1))`-th smallest of their largest probabilities,
/// so that a new photo of the same kind is below it with a probability of `rate` at most (V. Vovk,
/// A. Gammerman and G. Shafer, "Algorithmic learning in a random world", 2005).
pub fn threshold(probabilities: &[f32], classes: usize, rate: f64) -> Option<f64> {
    let rows = probabilities.chunks_exact(classes);
    let mut largest: Vec<f32> = rows
        .map(|row| row.iter().copied().fold(0.0, f32::max))
        .collect();
    let place = (rate * (largest.len() as f64 + 1.0) + 1e-9).floor() as usize;
    if place == 0 {
        return None;
    }
    largest.sort_by(f32::total_cmp);
    largest.get(place - 1).map(|&value| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photos_that_are_all_right_do_not_ask_for_certainty() {
        let logits = [3.0, 0.0, 0.0, 3.0, 2.5, 0.0];
        let found = temperature(&logits, 2, &[0, 1, 0]);
        assert!(found > 0.5 && found < 10.0, "{found}");
    }

    #[test]
    fn a_threshold_rejects_no_more_than_it_says_and_few_photos_say_nothing() {
        let rows: Vec<f32> = (1..=100)
            .flat_map(|i| {
                let top = 0.5 + i as f32 / 250.0;
                [top, 1.0 - top]
            })
            .collect();
        let at = threshold(&rows, 2, 0.05).unwrap();
        let below = rows.chunks(2).filter(|row| f64::from(row[0]) < at).count();
        assert_eq!(below, 4);
        assert_eq!(threshold(&rows[..36], 2, 0.05), None);
        assert!(threshold(&rows[..38], 2, 0.05).is_some());
        assert_eq!(threshold(&[], 2, 0.05), None);
    }
}
