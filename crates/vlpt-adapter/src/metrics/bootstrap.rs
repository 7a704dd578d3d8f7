//! Intervals of metrics: Wilson's for a share, else by the percentile bootstrap.

use serde::Serialize;
use vlpt_base::random::SplitMix64;
use vlpt_base::stats::percentile;
use vlpt_data::Metric;

use super::wilson::{mean_of_shares, wilson};
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

/// How the ends of an interval were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalKind {
    /// Wilson's score interval: of accuracy.
    Wilson,
    /// The middle of the values of the resamples.
    Bootstrap,
    /// Wilson's of each class, put together: of mean per class where all resamples are equal.
    WilsonPerClass,
    /// All resamples are equal and say nothing, as where every image is ranked right.
    Unknown,
}

impl IntervalKind {
    /// In words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Wilson => "Wilson",
            Self::Bootstrap => "bootstrap",
            Self::WilsonPerClass => "Wilson of each class",
            Self::Unknown => "unknown: all resamples are equal",
        }
    }
}

/// A metric with its interval; values from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The metric of all images.
    pub value: f64,
    /// Lower end; not a number where it is unknown.
    pub low: f64,
    /// Upper end; not a number where it is unknown.
    pub high: f64,
    /// How they were found.
    pub kind: IntervalKind,
    /// Resamples in which the metric was undefined (such as ROC-AUC when only one class was
    /// drawn); they are left out.
    pub undefined: usize,
}

impl Bootstrap {
    /// The interval of a metric.
    ///
    /// Accuracy is a share: its interval is [`wilson`]'s, without any resample. A bootstrap of six
    /// images of six right knows of no other value, and would call that certain.
    ///
    /// Of other metrics it is the percentile interval (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
    /// chapter 13): as many images as there are, drawn with replacement, again and again; the
    /// interval holds the middle `confidence` of the metric's values, ends interpolated linearly
    /// as `numpy.percentile` does. Does not depend on the number of threads. Where all resamples
    /// give one value, mean per class has the interval made of Wilson's of each class, and others
    /// have none ([`IntervalKind::Unknown`]).
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
        let shares = prepared.shares();
        if let (Metric::Accuracy, Some([(right, of)])) = (metric, shares.as_deref()) {
            let (low, high) = wilson(*right, *of, self.confidence);
            return Ok(Interval {
                value,
                low,
                high,
                kind: IntervalKind::Wilson,
                undefined: 0,
            });
        }
        let mut random = SplitMix64::new(self.seed);
        let mut values = Vec::new();
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
        let (low, high, kind) = match (values.as_slice(), shares) {
            ([first, .., last], _) if first < last => (
                percentile(&values, tail),
                percentile(&values, 1.0 - tail),
                IntervalKind::Bootstrap,
            ),
            (_, Some(shares)) => {
                let (low, high) = mean_of_shares(&shares, self.confidence);
                (low, high, IntervalKind::WilsonPerClass)
            }
            _ => (f64::NAN, f64::NAN, IntervalKind::Unknown),
        };
        Ok(Interval {
            value,
            low,
            high,
            kind,
            undefined,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Images of two classes, four of five predicted right.
    fn coin(n: usize) -> Scored {
        let scores = (0..n).flat_map(|i| if i % 5 == 0 { [0.0, 1.0] } else { [1.0, 0.0] });
        let turned = scores
            .enumerate()
            .map(|(i, score)| if i / 2 % 2 == 0 { score } else { 1.0 - score });
        let labels = (0..n as u32).map(|i| vec![i % 2]).collect();
        Scored::new(turned.collect(), 2, labels).unwrap()
    }

    #[test]
    fn the_interval_is_about_as_wide_as_the_normal_one() {
        let interval = Bootstrap::default()
            .interval(Metric::MeanPerClass, &coin(500))
            .unwrap();
        assert!((interval.value - 0.8).abs() < 1e-12);
        assert_eq!(interval.kind, IntervalKind::Bootstrap);
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
            bootstrap
                .interval(Metric::MeanPerClass, &coin(600))
                .unwrap()
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
            (interval.value, interval.kind),
            (1.0, IntervalKind::Unknown)
        );
        assert!(interval.low.is_nan() && interval.high.is_nan());
        assert!((400..600).contains(&interval.undefined), "{interval:?}");
    }

    #[test]
    fn all_right_is_not_called_certain() {
        let scores = [1.0, 0.0, 1.0, 0.0, 0.0, 1.0].to_vec();
        let scored = Scored::new(scores, 2, vec![vec![0], vec![0], vec![1]]).unwrap();
        let of = |metric| Bootstrap::default().interval(metric, &scored).unwrap();
        for (metric, kind) in [
            (Metric::Accuracy, IntervalKind::Wilson),
            (Metric::MeanPerClass, IntervalKind::WilsonPerClass),
        ] {
            let found = of(metric);
            assert_eq!((found.value, found.high, found.kind), (1.0, 1.0, kind));
            assert!(found.low < 0.6, "{found:?}");
        }
        assert_eq!(of(Metric::ElevenPointMap).kind, IntervalKind::Unknown);
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
