//! What the chosen one of several candidates is worth.
//!
//! The best of several cross-validated accuracies is too good: it was chosen for being the best on these
//! photos. BBC-CV takes that away without a second cross-validation around the first: photos are drawn
//! with replacement, the choice is made on those drawn, and judged on those that were not (I. Tsamardinos,
//! E. Greasidou and G. Borboudakis, "Bootstrapping the out-of-sample predictions for efficient and accurate
//! cross-validation", Machine Learning 107, 2018).

use rayon::prelude::*;
use vlpt_adapter::metrics::wilson;
use vlpt_base::random::SplitMix64;
use vlpt_base::stats::percentile;

/// Whether each candidate was right on each held-out photo.
#[derive(Debug, Clone, Copy)]
pub struct Answers<'a> {
    /// For each candidate, whether it was right, photo by photo.
    pub right: &'a [Vec<bool>],
    /// What each photo counts; all 1 for accuracy.
    pub weights: &'a [f64],
}

/// A share with its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The share, from 0 to 1.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Answers<'_> {
    /// The weighted share of some photos that a candidate was right on.
    pub fn share(&self, candidate: usize, photos: impl Iterator<Item = usize>) -> f64 {
        let (mut right, mut all) = (0.0, 0.0);
        for photo in photos {
            all += self.weights[photo];
            if self.right[candidate][photo] {
                right += self.weights[photo];
            }
        }
        right / all
    }

    /// Number of photos.
    pub fn photos(&self) -> usize {
        self.weights.len()
    }
}

/// The corrected estimate for what `choose` takes, from so many resamples. `choose` is given the photos
/// of a resample, with repetitions, and names a candidate.
///
/// The value is the mean over the resamples of the share on the photos that were not drawn; the ends
/// hold the middle `confidence` of these shares. Photos that were not drawn are about a third of all, so
/// the interval is wider than the one of the same photos alone: what it leaves out (that the candidates
/// were fitted to photos that overlap, and that few photos were fitted to at all) makes up for it. It is
/// nowhere narrower than Wilson's interval of all photos.
pub fn estimate(
    answers: &Answers,
    choose: &(dyn Fn(&[usize]) -> usize + Sync),
    resamples: usize,
    confidence: f64,
    seed: u64,
) -> Estimate {
    let mut shares: Vec<f64> = (0..resamples)
        .into_par_iter()
        .filter_map(|number| {
            let bag = resample(answers.photos(), seed, number);
            let mut drawn = vec![false; answers.photos()];
            for &photo in &bag {
                drawn[photo] = true;
            }
            let chosen = choose(&bag);
            let out = (0..answers.photos()).filter(|&photo| !drawn[photo]);
            let share = answers.share(chosen, out);
            share.is_finite().then_some(share)
        })
        .collect();
    let value = shares.iter().sum::<f64>() / shares.len() as f64;
    shares.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let photos = answers.photos() as f64;
    let right = (value * photos).round() as u64;
    let (low, high) = wilson(right, answers.photos() as u64, confidence);
    Estimate {
        value,
        low: percentile(&shares, tail).min(low).min(value),
        high: percentile(&shares, 1.0 - tail).max(high).max(value),
    }
}

/// So many photos, drawn with replacement from as many.
pub fn resample(photos: usize, seed: u64, number: usize) -> Vec<usize> {
    let mut random = SplitMix64::keyed(BAGS, &[seed, number as u64]);
    (0..photos).map(|_| random.below(photos)).collect()
}

/// Keeps these draws apart from others.
const BAGS: u64 = 0x7475_6e65_2062_6167;

#[cfg(test)]
mod tests {
    use super::*;

    fn best(answers: &Answers, bag: &[usize]) -> usize {
        let share = |candidate: usize| answers.share(candidate, bag.iter().copied());
        (1..answers.right.len()).fold(0, |best, next| {
            if share(next) > share(best) {
                next
            } else {
                best
            }
        })
    }

    #[test]
    fn the_best_of_many_coins_is_worth_a_coin() {
        // Forty candidates that guess between two classes on fifty photos, sixty times.
        let mut random = SplitMix64::new(3);
        let (mut naive, mut honest, mut held) = (0.0, 0.0, 0);
        let times = 60;
        for _ in 0..times {
            let mut coin = || -> Vec<bool> { (0..50).map(|_| random.uniform() < 0.5).collect() };
            let right: Vec<Vec<bool>> = (0..40).map(|_| coin()).collect();
            let answers = Answers {
                right: &right,
                weights: &[1.0; 50],
            };
            let all: Vec<usize> = (0..50).collect();
            naive += answers.share(best(&answers, &all), 0..50);
            let found = estimate(&answers, &|bag| best(&answers, bag), 200, 0.95, 0);
            honest += found.value;
            held += usize::from(found.low <= 0.5 && 0.5 <= found.high);
        }
        let (naive, honest) = (naive / f64::from(times), honest / f64::from(times));
        assert!(naive > 0.63, "{naive}");
        assert!((honest - 0.5).abs() < 0.04, "{honest}");
        assert!(held >= 57, "{held}");
    }

    #[test]
    fn all_right_is_not_certainty() {
        let answers = Answers {
            right: &[vec![true; 10]],
            weights: &[1.0; 10],
        };
        let all = estimate(&answers, &|_| 0, 200, 0.95, 0);
        assert_eq!((all.value, all.high), (1.0, 1.0));
        assert!(all.low < 0.75);
    }

    #[test]
    fn the_interval_holds_the_truth_as_often_as_it_says() {
        // One candidate that is right with 0.8, on 60 photos, again and again.
        let mut random = SplitMix64::new(11);
        let held = (0..200).filter(|_| {
            let right: Vec<bool> = (0..60).map(|_| random.uniform() < 0.8).collect();
            let answers = Answers {
                right: &[right],
                weights: &[1.0; 60],
            };
            let found = estimate(&answers, &|_| 0, 200, 0.95, 1);
            found.low <= 0.8 && 0.8 <= found.high
        });
        assert!(held.count() >= 188);
    }
}
