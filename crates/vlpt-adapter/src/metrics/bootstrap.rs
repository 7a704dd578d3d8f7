//! Percentile bootstrap intervals.

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
            return Err(AdapterError::Unfit {
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
        let mut random = SplitMix64(self.seed);
        let mut values = Vec::with_capacity(self.resamples);
        for _ in 0..self.resamples {
            times.fill(0);
            for _ in 0..n {
                times[random.below(n as u64) as usize] += 1;
            }
            values.extend(prepared.value(&times));
        }
        let undefined = self.resamples - values.len();
        values.sort_by(f64::total_cmp);
        let tail = (1.0 - self.confidence) / 2.0;
        let (low, high) = match values.as_slice() {
            [] => (value, value),
            values => (quantile(values, tail), quantile(values, 1.0 - tail)),
        };
        Ok(Interval {
            value,
            low,
            high,
            undefined,
        })
    }
}

/// The quantile of sorted values, between two of them by a straight line.
fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

/// The SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number
/// generators", 2014).
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A whole number below `n`: the upper half of a 128-bit product. Its bias, n / 2^64, is far
    /// below what any number of resamples could show.
    fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_its_published_numbers() {
        let mut random = SplitMix64(1234567);
        let found: Vec<u64> = (0..3).map(|_| random.next()).collect();
        assert_eq!(
            found,
            [
                6457827717110365317,
                3203168211198807973,
                9817491932198370423
            ]
        );
    }

    #[test]
    fn quantiles_interpolate() {
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.5), 2.0);
        assert_eq!(quantile(&[1.0, 2.0, 4.0], 0.75), 3.0);
        assert_eq!(quantile(&[7.0], 0.9), 7.0);
    }

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
