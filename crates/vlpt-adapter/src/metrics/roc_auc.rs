//! Area under the receiver operating characteristic.

use super::ranking::{Counts, Ranking};
use super::{Resampled, Scored};
use crate::{AdapterError, Result};

/// The area for a task of two classes, with the score of class 1: the share of pairs of an image
/// of class 1 and one of class 0 in which the former has the larger score, equal scores counting
/// half (the trapezoid rule).
pub(super) struct RocAuc {
    ranking: Ranking,
}

impl RocAuc {
    pub(super) fn new(scored: &Scored) -> Result<Self> {
        if scored.classes() != 2 {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "roc_auc needs two classes, but there are {}",
                    scored.classes()
                ),
                hint: Some("use accuracy or mean_per_class".to_owned()),
            });
        }
        scored.single_labels("roc_auc")?;
        Ok(Self {
            ranking: Ranking::new(scored, 1),
        })
    }
}

impl Resampled for RocAuc {
    fn value(&self, times: &[u32]) -> Option<f64> {
        let total = self.ranking.total(times);
        if total.positives == 0 || total.negatives == 0 {
            return None;
        }
        // Twice the number of pairs won: whole numbers, so nothing is lost in the sum.
        let mut before = Counts {
            positives: 0,
            negatives: 0,
        };
        let mut twice = 0_u128;
        for counts in self.ranking.counts(times) {
            let width = u128::from(counts.negatives - before.negatives);
            twice += width * u128::from(counts.positives + before.positives);
            before = counts;
        }
        let pairs = u128::from(total.positives) * u128::from(total.negatives);
        Some(twice as f64 / (2 * pairs) as f64)
    }

    fn undefined(&self) -> &'static str {
        "ROC-AUC of images of one class only"
    }
}
