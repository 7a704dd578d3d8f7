//! The learning curve: the same folds with fewer photos to learn from.

use std::path::Path;

use serde::{Deserialize, Serialize};
use vlpt_base::random::Stream;
use vlpt_train::{RunConfig, TrainObserver};

use crate::budget::Budget;
use crate::curve::{Forecast, Point, PowerLaw, forecast, law, shares};
use crate::folds::{Folds, shuffle};
use crate::photos::Photos;
use crate::trial::{Allowance, Trial};
use crate::{Result, TuneError};

/// Photos a class that a forecast adds.
pub const MORE: f64 = 20.0;
/// So many classes are named, those that are known worst.
const CLASSES: usize = 5;
/// A class with fewer held-out photos has no forecast of its own.
const FEWEST: usize = 4;

/// How accuracy grows with photos.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LearningCurve {
    /// The method that was fitted.
    pub method: String,
    /// Photos a class, and the share of held-out photos that were right.
    pub points: Vec<(f64, f64)>,
    /// The law through them, where one fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub law: Option<PowerLaw>,
    /// What it says of [`MORE`] photos of each class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// What it says of single classes with so many more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassForecast>,
    /// Why there is less of it than there could be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// A class with more photos.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassForecast {
    /// The class.
    pub class: String,
    /// Photos that it has.
    pub photos: usize,
    /// Share of its held-out photos that were right.
    pub share: f64,
    /// With more.
    pub more: Forecast,
}

/// What a curve is measured with.
pub(crate) struct Curve<'a> {
    /// The photos.
    pub(crate) photos: &'a Photos<'a>,
    /// The folds.
    pub(crate) folds: &'a Folds,
    /// What each held-out photo counts.
    pub(crate) weights: &'a [f64],
    /// Time.
    pub(crate) budget: Budget<'a>,
    /// Time that has to be left.
    pub(crate) reserve: std::time::Duration,
    /// Where trials may write.
    pub(crate) scratch: &'a Path,
}

impl Curve<'_> {
    /// Fits `config` to 1, 2, 4, ... photos a class in every fold; `full` says which held-out photos were
    /// right with all photos of the other folds.
    ///
    /// # Errors
    /// What ends a fit, but for one that cannot end in time.
    pub(crate) fn measure(
        &self,
        config: &RunConfig,
        full: &[bool],
        observer: &dyn TrainObserver,
    ) -> Result<LearningCurve> {
        let whole = self.mean_of_folds();
        let mut points = Vec::new();
        let mut left_out = None;
        let sizes = (0..).map(|step| 1_usize << step);
        for size in sizes.take_while(|&size| (size as f64) < 0.8 * whole) {
            if observer.should_stop() {
                return Err(TuneError::Stopped);
            }
            let Some(point) = self.point(config, size, observer)? else {
                left_out = Some("time was up before more sizes were measured".to_owned());
                break;
            };
            points.push(point);
        }
        points.push(Point {
            photos: whole,
            right: full.to_vec(),
        });
        let mut curve = self.read(&points, config.seed);
        config.method.name().clone_into(&mut curve.method);
        curve.left_out = left_out.or(curve.left_out);
        Ok(curve)
    }

    /// Mean number of photos of a class that a fold learns from, of classes with photos.
    fn mean_of_folds(&self) -> f64 {
        let with = self
            .photos
            .counts()
            .iter()
            .filter(|&&count| count > 0)
            .count();
        let fit: usize = (0..self.folds.count)
            .map(|fold| self.folds.parts(fold).0.len())
            .sum();
        fit as f64 / (self.folds.count * with.max(1)) as f64
    }

    /// All folds with so many photos a class; none where the time is up.
    fn point(
        &self,
        config: &RunConfig,
        size: usize,
        observer: &dyn TrainObserver,
    ) -> Result<Option<Point>> {
        let held = self.folds.held();
        let classes = self.photos.classes();
        let mut right = vec![false; held.len()];
        let mut learned = 0;
        for fold in 0..self.folds.count {
            let (fit, out) = self.folds.parts(fold);
            let fit = self.first(&fit, size, config.seed);
            learned += fit.len();
            let allowed = Allowance {
                budget: self.budget,
                reserve: self.reserve,
                trials: (self.folds.count - fold) as f64,
            };
            let trial = self
                .photos
                .trial(config, (&fit, &out), allowed, self.scratch, observer)?;
            let Trial::Done(logits, _) = trial else {
                return Ok(None);
            };
            for (row, photo) in logits.chunks_exact(classes).zip(&out) {
                if let Ok(at) = held.binary_search(photo) {
                    let answer = vlpt_methods::head::first_largest(row);
                    right[at] = answer == self.photos.labels[*photo];
                }
            }
        }
        let with = self
            .photos
            .counts()
            .iter()
            .filter(|&&count| count > 0)
            .count();
        Ok(Some(Point {
            photos: learned as f64 / (self.folds.count * with.max(1)) as f64,
            right,
        }))
    }

    /// At most `size` of the photos of each class, the first of a random order, so that a larger size
    /// has all those of a smaller one.
    fn first(&self, fit: &[usize], size: usize, seed: u64) -> Vec<usize> {
        let mut order = fit.to_vec();
        shuffle(&mut order, &mut Stream::new(seed, "tune learning curve"));
        let mut taken = vec![0; self.photos.classes()];
        order.retain(|&photo| {
            let count = &mut taken[self.photos.labels[photo]];
            *count += 1;
            *count <= size
        });
        order.sort_unstable();
        order
    }

    /// What the points say of more photos.
    fn read(&self, points: &[Point], seed: u64) -> LearningCurve {
        let all: Vec<usize> = (0..self.weights.len()).collect();
        let mut curve = LearningCurve {
            points: shares(points, self.weights, &all),
            ..LearningCurve::default()
        };
        let Some(law) = law(points, self.weights) else {
            curve.left_out = Some(
                if points.len() < 3 {
                    "too few photos a class to see how accuracy grows with them"
                } else {
                    "accuracy does not grow with photos in a way that could be continued"
                }
                .to_owned(),
            );
            return curve;
        };
        let counts = self.photos.counts();
        let with = counts.iter().filter(|&&count| count > 0).count().max(1);
        let now = self.photos.len() as f64 / with as f64;
        curve.law = Some(law);
        let measured = curve.points.last().map_or(0.0, |point| point.1);
        curve.forecast = forecast(points, self.weights, &all, &law, now + MORE, seed)
            .filter(|more| more.value > measured);
        let held = self.folds.held();
        let last = &points[points.len() - 1].right;
        let mut worst: Vec<(f64, usize, Vec<usize>)> = (0..counts.len())
            .map(|class| {
                let own: Vec<usize> = (0..held.len())
                    .filter(|&at| self.photos.labels[held[at]] == class)
                    .collect();
                let right = own.iter().filter(|&&at| last[at]).count();
                (right as f64 / own.len().max(1) as f64, class, own)
            })
            .filter(|(share, _, own)| own.len() >= FEWEST && *share < 1.0)
            .collect();
        worst.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let of_class = worst.into_iter().filter_map(|(share, class, own)| {
            let wanted = counts[class] as f64 + MORE;
            let more = forecast(points, self.weights, &own, &law, wanted, seed)?;
            // A curve below what was measured has nothing to say of more photos.
            (more.value > share).then(|| ClassForecast {
                class: self.photos.data.task.classes[class].clone(),
                photos: counts[class],
                share,
                more,
            })
        });
        curve.classes = of_class.take(CLASSES).collect();
        curve
    }
}
