//! Tip-Adapter and its two hyper-parameters.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::json;
use vlpt_clip::Observer;

use super::finetune::{Shots, train};
use super::{Affinities, TipAdapter, TipAdapterConfig};
use crate::baselines::Searched;
use crate::baselines::held_out::HeldOut;
use crate::head::{FitEpoch, FittedHead, Head, HeadInputs, rows};
use crate::{MethodConfig, MethodError, Result};

/// Where both grids begin.
const FIRST: f64 = 0.1;
/// Bytes that the affinities of held-out images may take.
const MOST_BYTES: usize = 2 << 30;

/// Builds the cache, trains its keys if told to, and chooses alpha and beta.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    finetune: bool,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    inputs.check(method)?;
    method.check()?;
    let config: &TipAdapterConfig = method.options();
    let (templates, text) = inputs.text(config.templates)?;
    let search = config.alpha.value().is_none() || config.beta.value().is_none();
    let held_out = HeldOut::of(inputs, observer);
    let maker = Maker {
        inputs,
        config,
        finetune,
        text: &text,
    };
    let all: Vec<usize> = (0..inputs.train.len()).collect();
    let trials = match held_out {
        HeldOut::Folds(_) if search => held_out.trials(inputs),
        _ => Vec::new(),
    };
    if finetune {
        let fits = trials.iter().map(|trial| trial.fit.len());
        let steps = fits
            .chain([all.len()])
            .map(|n| n.div_ceil(config.batch_size));
        let steps = steps.sum::<usize>() * config.epochs;
        observer.start("training the keys", steps as u64);
    }
    let caches = maker.caches(&all, trials.iter().map(|trial| &*trial.fit), observer);
    if finetune {
        observer.finish();
    }
    let ((mut adapter, epochs), fold_caches) = caches?;

    let mut metrics = json!({"templates": templates.len()});
    let mut searched = Vec::new();
    match held_out {
        _ if !search => metrics["alpha_beta_from"] = json!("configuration"),
        HeldOut::Validation => searched.push(Part {
            affinities: maker.affinities(&adapter, inputs.val_features)?,
            adapter: adapter.clone(),
            labels: inputs.val.labels.to_vec(),
        }),
        HeldOut::Folds(_) => {
            for (cache, trial) in fold_caches.into_iter().zip(trials) {
                searched.push(Part {
                    affinities: maker.affinities(&cache, &trial.features)?,
                    adapter: cache,
                    labels: trial.labels,
                });
            }
        }
        HeldOut::Nothing => {
            observer.note("nothing to choose alpha and beta by: the defaults are taken");
        }
    }
    if search {
        metrics["alpha_beta_from"] = json!(held_out.describe());
    }
    if !searched.is_empty() {
        let best = maker.search(&searched, observer)?;
        maker.warn_of_ends(best, observer);
        (adapter.alpha, adapter.beta) = (best.alpha, best.beta);
        if matches!(held_out, HeldOut::Folds(_)) {
            metrics[format!("folds_{}", inputs.metric_name)] = json!(best.metric);
        }
    }
    metrics["alpha"] = json!(adapter.alpha);
    metrics["beta"] = json!(adapter.beta);
    metrics["keys"] = json!(adapter.values.len());
    if let Some(last) = epochs.last() {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    let val = inputs.val_metric(|features| adapter.logits(features), observer)?;
    let settled = search.then(|| {
        let mut settled = method.clone();
        let options: &mut TipAdapterConfig = settled.options_mut();
        options.alpha = Searched::Value(adapter.alpha);
        options.beta = Searched::Value(adapter.beta);
        settled
    });
    Ok(FittedHead {
        parameters: if finetune { adapter.keys.len() } else { 0 },
        head: Head::Features(Arc::new(adapter)),
        templates: Some(templates),
        val,
        epochs,
        metrics,
        settled,
    })
}

/// A cache and the held-out images that it is judged by.
struct Part {
    adapter: TipAdapter,
    affinities: Affinities,
    labels: Vec<Vec<u32>>,
}

/// A pair of values and how good it is.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Choice {
    alpha: f64,
    beta: f64,
    metric: f64,
}

struct Maker<'a> {
    inputs: &'a HeadInputs<'a>,
    config: &'a TipAdapterConfig,
    /// Train the keys.
    finetune: bool,
    text: &'a [f32],
}

type Trained = (TipAdapter, Vec<FitEpoch>);

impl Maker<'_> {
    /// The cache of all images, and one for each part of them.
    fn caches<'b>(
        &self,
        all: &[usize],
        parts: impl Iterator<Item = &'b [usize]>,
        observer: &dyn Observer,
    ) -> Result<(Trained, Vec<TipAdapter>)> {
        let parts = parts.map(|part| Ok(self.cache(part, observer)?.0));
        let parts = parts.collect::<Result<_>>()?;
        Ok((self.cache(all, observer)?, parts))
    }

    /// The cache of some training images, its keys trained if told to.
    fn cache(&self, images: &[usize], observer: &dyn Observer) -> Result<Trained> {
        let (inputs, config) = (self.inputs, self.config);
        let blocks = inputs
            .views
            .iter()
            .map(|view| rows(view, images, inputs.embed()));
        let views: Vec<Vec<f32>> = blocks.collect();
        let labels: Vec<Vec<u32>> = images
            .iter()
            .map(|&i| inputs.train.labels[i].clone())
            .collect();
        let mut adapter = TipAdapter::new(
            &views.iter().map(Vec::as_slice).collect::<Vec<_>>(),
            labels.clone(),
            self.text.to_vec(),
            inputs.embed(),
            inputs.clip.logit_scale,
            (
                config.alpha.value().unwrap_or(config.init_alpha),
                config.beta.value().unwrap_or(config.init_beta),
            ),
        )?;
        let mut epochs = Vec::new();
        if self.finetune {
            let shots = Shots {
                views: &views,
                labels: &labels,
            };
            let order = |epoch| (inputs.order)(images.len(), epoch);
            epochs = train(&mut adapter, &shots, config, order, observer)?;
        }
        Ok((adapter, epochs))
    }

    fn affinities(&self, adapter: &TipAdapter, features: &[f32]) -> Result<Affinities> {
        let images = features.len() / self.inputs.embed();
        let bytes = images * adapter.values.len() * size_of::<f64>();
        if bytes > MOST_BYTES {
            return Err(incompatible(
                format!(
                    "choosing alpha and beta takes {} MiB for {images} held-out images and {} \
                     keys: expected at most {}",
                    bytes >> 20,
                    adapter.values.len(),
                    MOST_BYTES >> 20
                ),
                Some("use fewer shots, or set tip_adapter.alpha and tip_adapter.beta to numbers"),
            ));
        }
        adapter.affinities(features)
    }

    /// Notes a value at the upper end of its grid: a better one may lie beyond.
    fn warn_of_ends(&self, best: Choice, observer: &dyn Observer) {
        let (scale, steps) = (self.config.search_scale, self.config.search_step);
        for (name, searched, value, which) in [
            ("beta", self.config.beta, best.beta, 0),
            ("alpha", self.config.alpha, best.alpha, 1),
        ] {
            let last = grid(searched, scale[which], steps[which]).last().copied();
            if searched.value().is_none() && last == Some(value) {
                observer.note(&format!(
                    "{name} {value} is the largest that was tried: a wider \
                     tip_adapter.search_scale may find a better one"
                ));
            }
        }
    }

    /// The best pair on the grid; of equal ones that with the smallest beta, then alpha, which is
    /// nearest to zero-shot.
    fn search(&self, parts: &[Part], observer: &dyn Observer) -> Result<Choice> {
        let config = self.config;
        let betas = grid(config.beta, config.search_scale[0], config.search_step[0]);
        let alphas = grid(config.alpha, config.search_scale[1], config.search_step[1]);
        let labels: Vec<Vec<u32>> = parts.iter().flat_map(|part| part.labels.clone()).collect();
        let zero_shot: Vec<f64> = parts
            .iter()
            .flat_map(|part| part.affinities.zero_shot.iter().copied())
            .collect();
        observer.start("choosing alpha and beta", betas.len() as u64);
        let best_of = |&beta: &f64| -> Result<Option<Choice>> {
            let each = parts.iter();
            let cache: Vec<f64> = each
                .flat_map(|part| part.adapter.cache(&part.affinities, beta, |_, _| true))
                .collect();
            let mut best: Option<Choice> = None;
            for &alpha in &alphas {
                let sums = zero_shot.iter().zip(&cache);
                let logits: Vec<f32> = sums.map(|(z, c)| (z + alpha * c) as f32).collect();
                let metric = self.inputs.judge(&logits, &labels)?;
                if best.is_none_or(|best| metric > best.metric) {
                    best = Some(Choice {
                        alpha,
                        beta,
                        metric,
                    });
                }
            }
            observer.advance(1);
            Ok(best)
        };
        let found: Vec<Result<Option<Choice>>> = betas.par_iter().map(best_of).collect();
        observer.finish();
        self.inputs.stop(observer)?;
        let mut best: Option<Choice> = None;
        for choice in found {
            if let Some(choice) = choice?
                && best.is_none_or(|best| choice.metric > best.metric)
            {
                best = Some(choice);
            }
        }
        best.ok_or_else(|| incompatible("an empty grid of alpha and beta".to_owned(), None))
    }
}

/// The values to try: equal distances from [`FIRST`] up to, but not, `end`.
fn grid(searched: Searched, end: f64, steps: usize) -> Vec<f64> {
    match searched.value() {
        Some(value) => vec![value],
        None => (0..steps)
            .map(|i| FIRST + i as f64 * (end - FIRST) / steps as f64)
            .collect(),
    }
}

fn incompatible(what: String, hint: Option<&str>) -> MethodError {
    MethodError::Incompatible {
        what,
        hint: hint.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grids_are_the_published_ones() {
        let betas = grid(Searched::SEARCH, 7.0, 200);
        assert_eq!((betas.len(), betas[0]), (200, 0.1));
        assert!((betas[199] - (6.9 * 199.0 / 200.0 + 0.1)).abs() < 1e-12);
        assert_eq!(grid(Searched::Value(2.5), 7.0, 200), [2.5]);
    }
}
