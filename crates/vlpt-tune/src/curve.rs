//! How accuracy grows with photos: measured points, and a power law where one fits.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use vlpt_base::stats::percentile;

use crate::bbc::resample;

/// Held-out answers of a classifier that learned from so many photos a class.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Photos of each class that it learned from; where classes have fewer, the mean over classes.
    pub photos: f64,
    /// Whether it was right, photo by photo; the same photos at every point.
    pub right: Vec<bool>,
}

/// `top - fall * photos^-rate`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// What accuracy comes to with ever more photos, at most 1.
    pub top: f64,
    /// How far below it one photo a class is.
    pub fall: f64,
    /// How quickly it gets there.
    pub rate: f64,
}

/// What a law says of another number of photos.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Photos a class.
    pub photos: f64,
    /// Accuracy.
    pub value: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// Rates that are tried: 0.05, 0.1, ... 2.
const RATES: usize = 40;
/// Resamples behind an interval.
const RESAMPLES: usize = 200;

impl PowerLaw {
    /// Accuracy with so many photos a class.
    pub fn at(&self, photos: f64) -> f64 {
        (self.top - self.fall * photos.powf(-self.rate)).clamp(0.0, 1.0)
    }

    /// The law with the least squared error through points (photos, accuracy), three or more; none where
    /// accuracy does not grow. Learning curves of few-shot tasks follow such laws (J. Hestness et al.,
    /// "Deep learning scaling is predictable, empirically", 2017).
    pub fn fit(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < 3 {
            return None;
        }
        let tried = (1..=RATES).map(|step| step as f64 / 20.0);
        let laws = tried.filter_map(|rate| {
            let law = Self::with_rate(points, rate)?;
            Some((law.squares(points), law))
        });
        let best = laws.min_by(|a, b| a.0.total_cmp(&b.0))?.1;
        // Between the neighbours of the best of the grid, by golden section.
        let (mut low, mut high) = ((best.rate - 0.05).max(0.01), best.rate + 0.05);
        let error =
            |rate: f64| Self::with_rate(points, rate).map_or(f64::INFINITY, |l| l.squares(points));
        for _ in 0..60 {
            let step = (high - low) * 0.381_966_011_250_105;
            if error(low + step) <= error(high - step) {
                high -= step;
            } else {
                low += step;
            }
        }
        let refined = Self::with_rate(points, f64::midpoint(low, high));
        let refined = refined.filter(|law| law.squares(points) <= best.squares(points));
        Some(refined.unwrap_or(best))
    }

    /// The best `top` and `fall` for a rate: linear least squares, `top` at most 1 and `fall` at least 0.
    fn with_rate(points: &[(f64, f64)], rate: f64) -> Option<Self> {
        let n = points.len() as f64;
        let x = |photos: f64| photos.powf(-rate);
        let mean_x = points.iter().map(|p| x(p.0)).sum::<f64>() / n;
        let mean_y = points.iter().map(|p| p.1).sum::<f64>() / n;
        let (mut xx, mut xy) = (0.0, 0.0);
        for &(photos, share) in points {
            xx += (x(photos) - mean_x).powi(2);
            xy += (x(photos) - mean_x) * (share - mean_y);
        }
        let mut fall = -xy / xx;
        let mut top = mean_y + fall * mean_x;
        if top > 1.0 {
            top = 1.0;
            let squares: f64 = points.iter().map(|p| x(p.0).powi(2)).sum();
            fall = points.iter().map(|p| x(p.0) * (1.0 - p.1)).sum::<f64>() / squares;
        }
        (fall > 0.0 && fall.is_finite()).then_some(Self { top, fall, rate })
    }

    fn squares(&self, points: &[(f64, f64)]) -> f64 {
        let off = |&(photos, share): &(f64, f64)| {
            (self.top - self.fall * photos.powf(-self.rate) - share).powi(2)
        };
        points.iter().map(off).sum()
    }
}

/// Accuracy at the points, of some photos with what they count (repetitions count again).
pub fn shares(points: &[Point], weights: &[f64], photos: &[usize]) -> Vec<(f64, f64)> {
    let all: f64 = photos.iter().map(|&photo| weights[photo]).sum();
    let share = |point: &Point| {
        let right = photos.iter().filter(|&&photo| point.right[photo]);
        (
            point.photos,
            right.map(|&photo| weights[photo]).sum::<f64>() / all,
        )
    };
    points.iter().map(share).collect()
}

/// The law of all photos, where it fits: no point is further from it than two standard errors of a share.
pub fn law(points: &[Point], weights: &[f64]) -> Option<PowerLaw> {
    let all: Vec<usize> = (0..weights.len()).collect();
    let measured = shares(points, weights, &all);
    let law = PowerLaw::fit(&measured)?;
    let count = weights.len() as f64;
    let near = |&(photos, share): &(f64, f64)| {
        let spread = share.clamp(0.02, 0.98);
        (law.at(photos) - share).abs() <= 2.0 * (spread * (1.0 - spread) / count).sqrt()
    };
    measured.iter().all(near).then_some(law)
}

/// What the points say of `photos` a class, for the photos of `of` alone (all, or those of one class):
/// a law with the rate of `law` through their own shares, and the middle 95 % of such laws through
/// resamples of them. None where their own accuracy does not grow.
pub fn forecast(
    points: &[Point],
    weights: &[f64],
    of: &[usize],
    law: &PowerLaw,
    photos: f64,
    seed: u64,
) -> Option<Forecast> {
    let at = |chosen: &[usize]| {
        let own = PowerLaw::with_rate(&shares(points, weights, chosen), law.rate)?;
        Some(own.at(photos))
    };
    let value = at(of)?;
    let mut all: Vec<f64> = (0..RESAMPLES)
        .into_par_iter()
        .filter_map(|number| {
            let bag = resample(of.len(), seed, number);
            let drawn: Vec<usize> = bag.into_iter().map(|place| of[place]).collect();
            at(&drawn)
        })
        .collect();
    all.sort_by(f64::total_cmp);
    if all.len() < RESAMPLES / 2 {
        return None;
    }
    Some(Forecast {
        photos,
        value,
        low: percentile(&all, 0.025).min(value),
        high: percentile(&all, 0.975).max(value),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_found_again_and_what_does_not_grow_has_none() {
        let law = PowerLaw {
            top: 0.93,
            fall: 0.4,
            rate: 0.7,
        };
        let points: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 8.0].map(|n| (n, law.at(n))).to_vec();
        let found = PowerLaw::fit(&points).unwrap();
        assert!((found.at(30.0) - law.at(30.0)).abs() < 1e-4, "{found:?}");
        assert!((found.rate - 0.7).abs() < 1e-3, "{found:?}");
        assert!(PowerLaw::fit(&[(1.0, 0.5), (2.0, 0.5), (4.0, 0.45)]).is_none());
        assert!(PowerLaw::fit(&points[..2]).is_none());
        // It never promises more than everything.
        let steep = PowerLaw::fit(&[(1.0, 0.5), (2.0, 0.8), (4.0, 0.99)]).unwrap();
        assert!(steep.top <= 1.0);
    }

    #[test]
    fn a_forecast_has_an_interval_around_it() {
        let point = |photos: f64, right: usize| Point {
            photos,
            right: (0..50).map(|photo| photo < right).collect(),
        };
        let points = [
            point(1.0, 25),
            point(2.0, 32),
            point(4.0, 37),
            point(8.0, 40),
        ];
        let weights = [1.0; 50];
        let law = law(&points, &weights).unwrap();
        let all: Vec<usize> = (0..50).collect();
        let more = forecast(&points, &weights, &all, &law, 28.0, 0).unwrap();
        assert!(more.low < more.value && more.value < more.high, "{more:?}");
        assert!(more.value > 0.8 && more.value <= 1.0);
    }
}
