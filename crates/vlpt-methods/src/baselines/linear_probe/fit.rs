//! The linear probe and its strength.

use std::sync::Arc;

use serde_json::json;
use vlpt_clip::Observer;

use super::LinearProbeConfig;
use crate::baselines::held_out::{HeldOut, Trial};
use crate::baselines::{LinearClassifier, LinearHead, Logistic, Searched};
use crate::head::{FittedHead, Head, HeadInputs, rows};
use crate::zeroshot::normalise;
use crate::{MethodConfig, Result};

/// C where nothing can choose one: that of the example in CLIP's own documentation, for features
/// as long as the model gives them.
const DEFAULT_STRENGTH: f64 = 0.316;
/// Largest gradient of the mean loss at the end of a fit.
const TOLERANCE: f64 = 1e-5;
/// Number of the last value of C on the grid; number i stands for 10^(i / 8 - 6).
const LAST: usize = 96;
/// Distance of the values that are tried first.
const COARSE: usize = 16;

/// Value `i` of the grid.
fn strength(i: usize) -> f64 {
    10_f64.powf(i as f64 / 8.0 - 6.0)
}

/// Fits the probe.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    inputs.check(method)?;
    method.check()?;
    let config: &LinearProbeConfig = method.options();
    let held_out = HeldOut::of(inputs, observer);
    let problem = Problem { inputs, config };
    let mut metrics = json!({});
    let chosen = match (config.strength.value(), &held_out) {
        (Some(value), _) => {
            metrics["strength_from"] = json!("configuration");
            value
        }
        (None, HeldOut::Nothing) => {
            metrics["strength_from"] = json!(held_out.describe());
            observer.note("nothing to choose the probe's strength by: the default is taken");
            DEFAULT_STRENGTH * problem.square_length()
        }
        (None, _) => {
            let (best, score) = problem.search(&held_out.trials(inputs), observer)?;
            metrics["strength_from"] = json!(held_out.describe());
            if matches!(held_out, HeldOut::Folds(_)) {
                metrics[format!("folds_{}", inputs.metric_name)] = json!(score.metric);
            }
            strength(best)
        }
    };
    let all: Vec<usize> = (0..inputs.train.len()).collect();
    observer.start("fitting the linear probe", 1);
    let linear = problem
        .logistic(&all)
        .map(|logistic| logistic.fit(chosen, config.max_iterations, TOLERANCE, None));
    observer.finish();
    let linear = linear?;
    if !linear.converged {
        observer.note(&format!(
            "the linear probe was still improving after {} iterations \
             (linear_probe.max_iterations)",
            linear.iterations
        ));
    }
    metrics["strength"] = json!(chosen);
    metrics["iterations"] = json!(linear.iterations);
    metrics["converged"] = json!(linear.converged);
    let val = inputs.val_metric(
        |features| Ok(linear.scores(&problem.prepared(features.to_vec()))),
        observer,
    )?;
    let settled = config.strength.value().is_none().then(|| {
        let mut settled = method.clone();
        settled.options_mut::<LinearProbeConfig>().strength = Searched::Value(chosen);
        settled
    });
    let single = |values: &[f64]| values.iter().map(|&v| v as f32).collect();
    Ok(FittedHead {
        parameters: linear.weight.len() + linear.bias.len(),
        head: Head::Features(Arc::new(LinearHead {
            normalised: config.normalised,
            separate: inputs.multi_label,
            weight: single(&linear.weight),
            bias: single(&linear.bias),
        })),
        templates: None,
        val,
        epochs: Vec::new(),
        metrics,
        settled,
    })
}

/// How good a strength is on held-out images.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score {
    metric: f64,
    loss: f64,
}

impl Score {
    /// Of equal metrics, the lower loss is better.
    fn better_than(self, other: Self) -> bool {
        self.metric > other.metric || (self.metric == other.metric && self.loss < other.loss)
    }
}

struct Problem<'a> {
    inputs: &'a HeadInputs<'a>,
    config: &'a LinearProbeConfig,
}

impl Problem<'_> {
    /// Features as the probe sees them.
    fn prepared(&self, mut features: Vec<f32>) -> Vec<f32> {
        if self.config.normalised {
            features
                .chunks_exact_mut(self.inputs.embed())
                .for_each(normalise);
        }
        features
    }

    /// What the default strength is multiplied by: features that are made shorter need weights
    /// that are longer, and their squares are what is penalised.
    fn square_length(&self) -> f64 {
        let values = self.inputs.views.iter().flatten();
        if !self.config.normalised {
            return 1.0;
        }
        let squares: f64 = values.map(|&v| f64::from(v) * f64::from(v)).sum();
        squares / (self.inputs.train.len() * self.inputs.views.len()) as f64
    }

    /// All views of some of the training images.
    fn logistic(&self, images: &[usize]) -> Result<Logistic> {
        let inputs = self.inputs;
        let views = inputs.views.iter();
        let features = views.flat_map(|view| rows(view, images, inputs.embed()));
        let own: Vec<Vec<u32>> = images
            .iter()
            .map(|&i| inputs.train.labels[i].clone())
            .collect();
        let problem = Logistic::new(
            &self.prepared(features.collect()),
            inputs.embed(),
            &vec![own; inputs.views.len()].concat(),
            inputs.classes.len(),
            inputs.multi_label,
            images.len(),
        )?;
        Ok(match inputs.class_weights {
            Some(weights) => problem.weighted(weights),
            None => problem,
        })
    }

    /// The best strength's number: seven coarse values, then around the best one at half the
    /// distance again and again, as CLIP's authors searched.
    fn search(&self, trials: &[Trial], observer: &dyn Observer) -> Result<(usize, Score)> {
        let problems: Vec<Logistic> = trials
            .iter()
            .map(|trial| self.logistic(&trial.fit))
            .collect::<Result<_>>()?;
        let features: Vec<Vec<f32>> = trials
            .iter()
            .map(|trial| self.prepared(trial.features.clone()))
            .collect();
        let labels: Vec<Vec<u32>> = trials.iter().flat_map(|t| t.labels.clone()).collect();
        // Each fit starts where the one before it ended.
        let mut last: Vec<Option<LinearClassifier>> = vec![None; trials.len()];
        let mut judge = |i: usize| -> Result<Score> {
            let mut logits = Vec::with_capacity(labels.len() * self.inputs.classes.len());
            for ((problem, features), last) in problems.iter().zip(&features).zip(&mut last) {
                let limit = self.config.max_iterations;
                let linear = problem.fit(strength(i), limit, TOLERANCE, last.as_ref());
                logits.extend(linear.scores(features));
                *last = Some(linear);
                observer.advance(1);
                self.inputs.stop(observer)?;
            }
            Ok(Score {
                metric: self.inputs.judge(&logits, &labels)?,
                loss: self.loss(&logits, &labels),
            })
        };
        let fits = (LAST / COARSE + 1 + 2 * COARSE.ilog2() as usize) * trials.len();
        observer.start("choosing the probe's strength", fits as u64);
        let found = climb(&mut judge);
        observer.finish();
        found
    }

    /// Mean loss of held-out images.
    fn loss(&self, logits: &[f32], labels: &[Vec<u32>]) -> f64 {
        let rows = logits
            .chunks_exact(self.inputs.classes.len().max(1))
            .zip(labels);
        let each = |(row, own): (&[f32], &Vec<u32>)| -> f64 {
            let row: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            if self.inputs.multi_label {
                let terms = row.iter().enumerate().map(|(class, &v)| {
                    let signed = if own.contains(&(class as u32)) { -v } else { v };
                    signed.max(0.0) + (-signed.abs()).exp().ln_1p()
                });
                terms.sum()
            } else {
                let top = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = row.iter().map(|v| (v - top).exp()).sum();
                let own = own.first().map_or(top, |&label| row[label as usize]);
                sum.ln() + top - own
            }
        };
        rows.map(each).sum::<f64>() / labels.len() as f64
    }
}

/// The search itself, over numbers 0 to [`LAST`].
fn climb(judge: &mut impl FnMut(usize) -> Result<Score>) -> Result<(usize, Score)> {
    let mut best = (0, judge(0)?);
    for i in (COARSE..=LAST).step_by(COARSE) {
        let score = judge(i)?;
        if score.better_than(best.1) {
            best = (i, score);
        }
    }
    let mut distance = COARSE / 2;
    while distance > 0 {
        let middle = best.0;
        let sides = [middle.checked_sub(distance), Some(middle + distance)];
        for i in sides.into_iter().flatten().filter(|&i| i <= LAST) {
            let score = judge(i)?;
            if score.better_than(best.1) {
                best = (i, score);
            }
        }
        distance /= 2;
    }
    Ok(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_finds_a_single_peak_wherever_it_is() {
        for peak in 0..=LAST {
            let mut tried = 0;
            let mut judge = |i: usize| {
                tried += 1;
                let metric = -(i.abs_diff(peak) as f64);
                Ok(Score { metric, loss: 0.0 })
            };
            assert_eq!(climb(&mut judge).unwrap().0, peak);
            assert!(tried <= 15, "{tried}");
        }
    }

    #[test]
    fn of_equal_metrics_the_lower_loss_decides() {
        let mut judge = |i: usize| {
            let loss = (i as f64 - 37.0).abs();
            Ok(Score { metric: 0.5, loss })
        };
        assert_eq!(climb(&mut judge).unwrap().0, 37);
    }

    #[test]
    fn the_grid_is_that_of_clips_authors() {
        assert!((strength(0) - 1e-6).abs() < 1e-18);
        assert!((strength(48) - 1.0).abs() < 1e-12);
        assert!((strength(LAST) - 1e6).abs() < 1e-4);
    }
}
