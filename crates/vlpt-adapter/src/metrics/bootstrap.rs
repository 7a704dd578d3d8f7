//! Percentile bootstrap intervals.

use vlpt_base::random::SplitMix64;
use vlpt_base::stats::percentile;
use vlpt_data::Metric;

use super::{Scored, prepare};
use crate::{AdapterError, Result};

/// How an interval is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bootstrap {
    /// Number of resamples.
    pub resamples: usize,
    /// Share of resamples inside the interval, between 0 and 1.
    pub confidence: f64,
    /// Names the resamples: equal seeds give equal intervals.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self {
            resamples: 1000,
            confidence: 0.95,
            seed: 0,
        }
    }
}

/// A metric with its bootstrap interval; values from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The metric of all images.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Resamples in which the metric was undefined (such as ROC-AUC when only one class was
    /// drawn); they are left out.
    pub undefined: usize,
}

impl Bootstrap {
    /// The percentile interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
    /// chapter 13): as many images as there are, drawn with replacement, again and again; the
    /// interval holds the middle `confidence` of the metric's values, ends interpolated linearly
    /// as `numpy.percentile` does. Does not depend on the number of threads.
    ///
    /// # Errors
    /// As [`super::evaluate`]; also when the options make no sense.
    pub fn interval(&self, metric: Metric, scored: &Scored) -> Result<Interval> {
        if self.resamples == 0 || !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(AdapterError::Incompatible {
                what: format!(
                    "a bootstrap of {} resamples and confidence {}: expected at least one, and a \
                     confidence between 0 and 1",
                    self.resamples, self.confidence
                ),
                hint: None,
            });
        }
        let prepared = prepare(metric, scored)?;
        let n = scored.images();
        let mut times = vec![1; n];
        let value = super::defined(&*prepared, &times)?;
        let mut random = SplitMix64::new(self.seed);
        let mut values = Vec::with_capacity(self.resamples);
        for _ in 0..self.resamples {
            times.fill(0);
            for _ in 0..n {
                times[random.below(n)] += 1;
            }
            values.extend(prepared.value(&times));
        }
        let undefined = self.resamples - values.len();
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        let (low, high) = match values.as_slice() {
            [] => (value, value),
            values => (percentile(values, tail), percentile(values, 1.0 - tail)),
        };
        Ok(Interval {
            value,
            low,
            high,
            undefined,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coin(n: usize) -> Scored {
        let scores = (0..n).flat_map(|i| if i % 5 == 0 { [0.0, 1.0] } else { [1.0, 0.0] });
        Scored::new(scores.collect(), 2, vec![vec![0]; n]).unwrap()
    }

    #[test]
    fn the_interval_is_about_as_wide_as_the_normal_one() {
        let interval = Bootstrap::default()
            .interval(Metric::Accuracy, &coin(500))
            .unwrap();
        assert_eq!(interval.value, 0.8);
        let half = 1.96 * (0.8 * 0.2 / 500.0_f64).sqrt();
        assert!((interval.low - (0.8 - half)).abs() < 0.006, "{interval:?}");
        assert!((interval.high - (0.8 + half)).abs() < 0.006, "{interval:?}");
    }

    #[test]
    fn the_seed_names_the_interval() {
        let of = |seed| {
            let bootstrap = Bootstrap {
                seed,
                resamples: 50,
                ..Bootstrap::default()
            };
            bootstrap.interval(Metric::Accuracy, &coin(600)).unwrap()
        };
        assert_eq!(of(0), of(0));
        assert_ne!(of(0), of(1));
    }

    #[test]
    fn resamples_without_a_value_are_counted() {
        let scored = Scored::new(vec![0.2, 0.8, 0.6, 0.4], 2, vec![vec![1], vec![0]]).unwrap();
        let interval = Bootstrap::default()
            .interval(Metric::RocAuc, &scored)
            .unwrap();
        assert_eq!(
            (interval.value, interval.low, interval.high),
            (1.0, 1.0, 1.0)
        );
        assert!((400..600).contains(&interval.undefined), "{interval:?}");
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let none = Bootstrap {
            resamples: 0,
            ..Bootstrap::default()
        };
        assert!(none.interval(Metric::Accuracy, &coin(5)).is_err());
        let sure = Bootstrap {
            confidence: 1.0,
            ..Bootstrap::default()
        };
        assert!(sure.interval(Metric::Accuracy, &coin(5)).is_err());
    }
}
