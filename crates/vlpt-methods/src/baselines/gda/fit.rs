//! The discriminant of a run's images, and its weight beside zero-shot.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;
use vlpt_clip::Observer;

use super::GdaConfig;
use super::discriminant::{Discriminant, by_classes, normalised};
use crate::baselines::held_out::HeldOut;
use crate::baselines::{LinearHead, Searched};

use crate::baselines::shots::Shots;
use crate::head::{FittedHead, Head, HeadInputs};
use crate::{MethodConfig, Result};

/// Estimates the Gaussians and chooses alpha.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    method.check()?;
    let shots = Shots::of(method, inputs)?;
    shots.every_class(method, inputs)?;
    let config: &GdaConfig = method.options();
    let (templates, text) = inputs.text(config.templates)?;
    let maker = Maker {
        inputs,
        shots: &shots,
        text: text.iter().map(|&v| f64::from(v)).collect(),
    };
    let all: Vec<usize> = (0..inputs.train.len()).collect();
    let held_out = HeldOut::of(inputs, observer);
    let search = config.alpha.value().is_none();
    let trials = match held_out {
        HeldOut::Folds(_) if search => held_out.trials(inputs),
        _ => Vec::new(),
    };
    observer.start("estimating the classes' Gaussians", 1 + trials.len() as u64);
    let estimated = maker.estimate(&all, observer).and_then(|whole| {
        let parts = trials.iter().map(|trial| {
            let found = maker.estimate(&trial.fit, observer)?;
            Ok(maker.part(&found, &trial.features, trial.labels.clone()))
        });
        Ok((whole, parts.collect::<Result<Vec<Part>>>()?))
    });
    observer.finish();
    let (discriminant, mut parts) = estimated?;
    if discriminant.is_nothing() {
        observer.note(
            "the images of each class have one feature alone: nothing is learned beside zero-shot \
             (views.mode = \"cached\" gives an image several)",
        );
    }
    let mut metrics = json!({"templates": templates.len(), "rows": all.len() * inputs.views.len()});
    let measured = held_out == HeldOut::Validation;
    if measured {
        let labels = inputs.val.labels.to_vec();
        parts = vec![maker.part(&discriminant, inputs.val_features, labels)];
    }
    let mut val = None;
    let alpha = match config.alpha.value() {
        Some(alpha) => {
            metrics["alpha_from"] = json!("configuration");
            if measured {
                val = Some(maker.judge(&parts, alpha)?);
            }
            alpha
        }
        None if parts.is_empty() => {
            metrics["alpha_from"] = json!(held_out.describe());
            observer.note("nothing to choose alpha by: the default is taken");
            config.init_alpha
        }
        None => {
            metrics["alpha_from"] = json!(held_out.describe());
            let (alpha, found) = maker.search(&parts, &config.grid, observer)?;
            if measured {
                val = Some(found);
            } else {
                metrics[format!("folds_{}", inputs.metric_name)] = json!(found);
            }
            alpha
        }
    };
    metrics["alpha"] = json!(alpha);
    let settled = search.then(|| {
        let mut settled = method.clone();
        settled.options_mut::<GdaConfig>().alpha = Searched::Value(alpha);
        settled
    });
    Ok(FittedHead {
        parameters: discriminant.weight.len() + discriminant.bias.len(),
        head: Head::Features(Arc::new(maker.head(&discriminant, alpha))),
        templates: Some(templates),
        val,
        epochs: Vec::new(),
        metrics,
        settled,
    })
}

/// Both kinds of logits of held-out images (images x classes), and their classes.
struct Part {
    zero_shot: Vec<f64>,
    discriminant: Vec<f64>,
    labels: Vec<Vec<u32>>,
}

struct Maker<'a> {
    inputs: &'a HeadInputs<'a>,
    shots: &'a Shots,
    /// Classes x embed, of length one.
    text: Vec<f64>,
}

impl Maker<'_> {
    fn estimate(&self, images: &[usize], observer: &dyn Observer) -> Result<Discriminant> {
        let inputs = self.inputs;
        let classes = inputs.classes.len();
        let labels = &self.shots.labels;
        let found = Discriminant::new(inputs.views, images, labels, classes, inputs.embed());
        observer.advance(1);
        inputs.stop(observer)?;
        found
    }

    fn scale(&self) -> f64 {
        f64::from(self.inputs.clip.logit_scale)
    }

    fn part(&self, found: &Discriminant, features: &[f32], labels: Vec<Vec<u32>>) -> Part {
        let width = self.inputs.embed();
        let mut units = vec![0.0; features.len()];
        units
            .par_chunks_exact_mut(width)
            .zip(features.par_chunks_exact(width))
            .for_each(|(unit, row)| normalised(row, unit));
        let mut zero_shot = by_classes(&units, &self.text, width);
        for v in &mut zero_shot {
            *v *= self.scale();
        }
        Part {
            zero_shot,
            discriminant: found.scores(&units),
            labels,
        }
    }

    /// The metric of all parts together.
    fn judge(&self, parts: &[Part], alpha: f64) -> Result<f64> {
        let mut logits = Vec::with_capacity(parts.iter().map(|part| part.zero_shot.len()).sum());
        for part in parts {
            let both = part.zero_shot.iter().zip(&part.discriminant);
            logits.extend(both.map(|(z, d)| (z + alpha * d) as f32));
        }
        let labels: Vec<Vec<u32>> = parts.iter().flat_map(|part| part.labels.clone()).collect();
        self.inputs.judge(&logits, &labels)
    }

    /// The best value of the grid, and how good it is; of equal ones the first, which is nearest to
    /// zero-shot.
    fn search(&self, parts: &[Part], grid: &[f64], observer: &dyn Observer) -> Result<(f64, f64)> {
        observer.start("choosing alpha", grid.len() as u64);
        let mut best: Option<(f64, f64)> = None;
        let tried = grid.iter().try_for_each(|&alpha| {
            let metric = self.judge(parts, alpha)?;
            if best.is_none_or(|(_, known)| metric > known) {
                best = Some((alpha, metric));
            }
            observer.advance(1);
            self.inputs.stop(observer)
        });
        observer.finish();
        tried?;
        let (alpha, metric) = best.unwrap_or((grid[0], 0.0));
        if grid.len() > 1 && Some(&alpha) == grid.last() {
            observer.note(&format!(
                "alpha {alpha} is the largest of gda.grid: a larger one may be better"
            ));
        }
        Ok((alpha, metric))
    }

    /// Both kinds of logits as one linear classifier of features of length one.
    fn head(&self, found: &Discriminant, alpha: f64) -> LinearHead {
        let pairs = self.text.iter().zip(&found.weight);
        LinearHead {
            normalised: true,
            separate: false,
            weight: pairs
                .map(|(t, w)| (self.scale() * t + alpha * w) as f32)
                .collect(),
            bias: found.bias.iter().map(|b| (alpha * b) as f32).collect(),
        }
    }
}
