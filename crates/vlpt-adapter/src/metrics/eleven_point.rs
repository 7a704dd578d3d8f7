//! 11-point mean average precision (PASCAL VOC 2007), as ELEVATER computes it.

use super::ranking::Ranking;
use super::{Resampled, Scored};

/// For each class with an image, the mean over the recalls 1, 0.9, ..., 0 of the best precision at
/// that recall or more; then the mean over those classes. The curve is scikit-learn's
/// precision-recall curve, which ends in precision 1 at recall 0.
pub(super) struct ElevenPoint {
    rankings: Vec<Ranking>,
}

/// Number of recalls.
const POINTS: usize = 11;

/// The recalls as `numpy.linspace(1, 0, 11)` rounds them: a recall of exactly 3/10 meets the third
/// of them or does not by its last bit.
fn recalls() -> [f64; POINTS] {
    let mut out = std::array::from_fn(|i| i as f64 * -0.1 + 1.0);
    out[POINTS - 1] = 0.0;
    out
}

impl ElevenPoint {
    pub(super) fn new(scored: &Scored) -> Self {
        let rankings = (0..scored.classes()).map(|class| Ranking::new(scored, class));
        Self {
            rankings: rankings.collect(),
        }
    }
}

/// One class; `None` when no image shows it.
fn average_precision(ranking: &Ranking, times: &[u32]) -> Option<f64> {
    let all = ranking.total(times).positives;
    if all == 0 {
        return None;
    }
    let recalls = recalls();
    // Best precision at recall >= recalls[i], gathered by the last recall a point still meets.
    let mut best = [0.0_f64; POINTS];
    best[POINTS - 1] = 1.0;
    for counts in ranking.counts(times) {
        let precision = counts.positives as f64 / (counts.positives + counts.negatives) as f64;
        let recall = counts.positives as f64 / all as f64;
        let first = recalls.partition_point(|&threshold| threshold > recall);
        if first < POINTS {
            best[first] = best[first].max(precision);
        }
    }
    let mut sum = 0.0;
    let mut running = 0.0_f64;
    for precision in best {
        running = running.max(precision);
        sum += running;
    }
    Some(sum / POINTS as f64)
}

impl Resampled for ElevenPoint {
    fn value(&self, times: &[u32]) -> Option<f64> {
        let values = self
            .rankings
            .iter()
            .filter_map(|ranking| average_precision(ranking, times));
        let (sum, count) = values.fold((0.0, 0_u32), |(sum, n), value| (sum + value, n + 1));
        (count > 0).then(|| sum / f64::from(count))
    }

    fn undefined(&self) -> &'static str {
        "11-point mAP of images that show no class"
    }
}

#[cfg(test)]
mod tests {
    use super::recalls;

    #[test]
    fn the_recalls_are_numpys_to_the_last_bit() {
        let expected = [
            1.0,
            0.9,
            0.8,
            0.7,
            0.6,
            0.5,
            0.3999999999999999,
            0.29999999999999993,
        ];
        assert_eq!(recalls()[..8], expected);
        assert_eq!(
            recalls()[8..],
            [0.19999999999999996, 0.09999999999999998, 0.0]
        );
    }
}
