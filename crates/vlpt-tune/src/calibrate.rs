//! Temperature of probabilities, and the least probability of an answer, from held-out logits.

use rayon::prelude::*;

pub use vlpt_adapter::metrics::temperature;

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
