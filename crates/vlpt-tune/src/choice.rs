//! Which candidate is taken: the best of the cheapest kind that is not clearly behind.

use crate::bbc::Answers;
use crate::candidates::Cost;

/// Takes the best candidate of each kind of cost, and goes from a cheaper kind to a dearer one only where
/// that is better by more than one standard error of the difference, photo by photo (the rule of one
/// standard error of L. Breiman, J. Friedman, R. Olshen and C. Stone, "Classification and regression
/// trees", 1984, with the error of paired differences).
///
/// `costs` are those of the candidates, in no particular order; `photos` can name a photo several times.
/// Of equal candidates of a kind the first is taken.
pub fn choose(answers: &Answers, costs: &[Cost], photos: &[usize]) -> usize {
    let mut best: Vec<(Cost, usize, f64)> = Vec::new();
    for (candidate, &cost) in costs.iter().enumerate() {
        let share = answers.share(candidate, photos.iter().copied());
        match best.iter_mut().find(|(known, ..)| *known == cost) {
            Some(known) if share > known.2 => *known = (cost, candidate, share),
            Some(_) => {}
            None => best.push((cost, candidate, share)),
        }
    }
    best.sort_by_key(|&(cost, ..)| cost);
    let mut chosen = best[0].1;
    for &(_, candidate, _) in &best[1..] {
        let gain = gain(answers, candidate, chosen, photos);
        // One photo alone makes a difference of exactly one standard error.
        if gain.value > gain.error + SLACK {
            chosen = candidate;
        }
    }
    chosen
}

/// Differences below this are those of rounding.
const SLACK: f64 = 1e-9;

/// By how much one candidate is better than another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gain {
    /// Difference of the shares.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// The weighted mean of the differences between two candidates on some photos, with its standard error.
pub fn gain(answers: &Answers, one: usize, other: usize, photos: &[usize]) -> Gain {
    let right = |candidate: usize, photo: usize| f64::from(answers.right[candidate][photo]);
    let (mut all, mut sum) = (0.0, 0.0);
    for &photo in photos {
        all += answers.weights[photo];
        sum += answers.weights[photo] * (right(one, photo) - right(other, photo));
    }
    let value = sum / all;
    let squares = photos.iter().map(|&photo| {
        let off = right(one, photo) - right(other, photo) - value;
        (answers.weights[photo] * off).powi(2)
    });
    let count = photos.len() as f64;
    let unbiased = count / (count - 1.0).max(1.0);
    Gain {
        value,
        error: (unbiased * squares.sum::<f64>()).sqrt() / all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Right on the first `right` of 40.
    fn first(right: usize) -> Vec<bool> {
        (0..40).map(|photo| photo < right).collect()
    }

    fn taken(rights: &[Vec<bool>], costs: &[Cost]) -> usize {
        let answers = Answers {
            right: rights,
            weights: &[1.0; 40],
        };
        let all: Vec<usize> = (0..40).collect();
        choose(&answers, costs, &all)
    }

    #[test]
    fn a_dearer_kind_has_to_be_clearly_better() {
        let costs = [Cost::Names, Cost::Features, Cost::Features];
        // One photo of forty is no reason, four are.
        assert_eq!(taken(&[first(30), first(31), first(20)], &costs), 0);
        assert_eq!(taken(&[first(30), first(34), first(36)], &costs), 2);
        // Among candidates of one kind the best is taken, the first of equal ones.
        assert_eq!(taken(&[first(1), first(36), first(36)], &costs), 1);
        let towers = [Cost::Names, Cost::Pixels, Cost::Features];
        assert_eq!(taken(&[first(10), first(31), first(30)], &towers), 2);
        assert_eq!(taken(&[first(10), first(38), first(30)], &towers), 1);
    }

    #[test]
    fn the_error_of_a_difference_is_that_of_paired_photos() {
        let rights = [first(30), first(34)];
        let answers = Answers {
            right: &rights,
            weights: &[1.0; 40],
        };
        let all: Vec<usize> = (0..40).collect();
        let found = gain(&answers, 1, 0, &all);
        assert!((found.value - 0.1).abs() < 1e-12);
        let deviation = (0.1_f64 * 0.9).sqrt();
        assert!((found.error - deviation / 39.0_f64.sqrt()).abs() < 1e-12);
    }
}
