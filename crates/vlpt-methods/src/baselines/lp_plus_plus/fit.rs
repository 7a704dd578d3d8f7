//! The descent, epoch by epoch.

use std::sync::Arc;

use serde_json::json;
use vlpt_base::random::Stream;
use vlpt_clip::Observer;
use vlpt_kernels::matrix_product;
use vlpt_optim::{Optimizer, Sgd};

use super::descent::{Model, Problem, Rates, add};
use super::{AlphaGradient, LpPlusPlusConfig};
use crate::baselines::LinearHead;
use crate::baselines::held_out::HeldOut;
use crate::baselines::shots::{Shots, finite};
use crate::head::{FitEpoch, FittedHead, Head, HeadInputs, UnitRows};
use crate::{MethodConfig, Result};

const HINT: &str = "features that lead here are no model's: look at the model's weights";

/// Fits weights, biases and the texts' weights. With validation images that are not trained on, the
/// epoch that is best there is kept, the later of equal ones; else the last.
pub(super) fn fit(
    method: &MethodConfig,
    inputs: &HeadInputs,
    observer: &dyn Observer,
) -> Result<FittedHead> {
    method.check()?;
    let shots = Shots::of(method, inputs)?;
    shots.every_class(method, inputs)?;
    let config: &LpPlusPlusConfig = method.options();
    let (templates, texts) = inputs.text(config.templates)?;
    let (width, views) = (inputs.embed(), inputs.views.len());
    let mut features = Vec::with_capacity(shots.labels.len() * views * width);
    for view in inputs.views {
        features.extend_from_slice(UnitRows::new(view, width)?.rows());
    }
    let shares = shots.shares(inputs.class_weights);
    let shares: Vec<f32> = shares.iter().map(|s| (s / views as f64) as f32).collect();
    let problem = Problem {
        features: &features,
        labels: &shots.labels.repeat(views),
        shares: &shares.repeat(views),
        texts: &texts,
        width,
    };
    // As PyTorch's linear layer begins its bias.
    let bound = 1.0 / (width as f64).sqrt();
    let bias = Stream::new(inputs.seed, "lp_plus_plus.bias").uniforms(shots.counts.len(), bound);
    let mut model = problem.first(views, bias);
    let parameters = model.parameters();
    let rates = problem.rates();

    let held_out = match HeldOut::of(inputs, observer) {
        HeldOut::Validation => Some(UnitRows::new(inputs.val_features, width)?),
        _ => None,
    };
    let mut best: Option<(f64, usize, Model)> = None;
    let mut each_epoch = |epoch: usize, model: &Model| -> Result<()> {
        observer.advance(1);
        inputs.stop(observer)?;
        let Some(images) = &held_out else {
            return Ok(());
        };
        let logits = logits(model, &texts, images.rows(), width);
        let metric = inputs.judge(&logits, inputs.val.labels)?;
        if best.as_ref().is_none_or(|(known, ..)| metric >= *known) {
            best = Some((metric, epoch, model.clone()));
        }
        Ok(())
    };
    observer.start(
        "fitting the linear probe and the texts' weights",
        config.epochs as u64,
    );
    let epochs = descend(&mut model, &problem, rates, config, &mut each_epoch);
    observer.finish();
    let epochs = epochs?;

    let mut metrics = json!({
        "templates": templates.len(),
        "rate": rates.weight,
        "alpha_rate": rates.alpha,
    });
    if let Some(last) = epochs.last() {
        metrics["train_loss"] = json!(last.loss);
        metrics["train_accuracy"] = json!(last.train_accuracy);
    }
    let chosen = if best.is_some() {
        "validation images"
    } else {
        "the last"
    };
    metrics["epoch_from"] = json!(chosen);
    let (val, epoch, model) = match best {
        Some((metric, epoch, model)) => (Some(metric), epoch, model),
        None => (None, config.epochs, model),
    };
    metrics["epoch"] = json!(epoch);
    let alphas = model.alpha.iter().map(|&a| f64::from(a)).sum::<f64>();
    metrics["alpha_mean"] = json!(alphas / model.alpha.len() as f64);
    Ok(FittedHead {
        parameters,
        head: Head::Features(Arc::new(LinearHead {
            normalised: true,
            separate: false,
            weight: model.vectors(&texts, width),
            bias: model.bias,
        })),
        templates: Some(templates),
        val,
        epochs,
        metrics,
        settled: None,
    })
}

/// All epochs; `each` sees the number of each, counted from 1, and the model after it. Weights and
/// biases step in every epoch, by the same rate. The texts' weights step in each `alpha_every`th, down
/// a gradient of the model before the epoch's step.
pub(super) fn descend(
    model: &mut Model,
    problem: &Problem,
    rates: Rates,
    config: &LpPlusPlusConfig,
    each: &mut dyn FnMut(usize, &Model) -> Result<()>,
) -> Result<Vec<FitEpoch>> {
    let mut optimizer = Sgd::new(config.momentum, 0.0);
    let mut gradients = vec![0.0; model.alpha.len()];
    let mut epochs = Vec::with_capacity(config.epochs);
    for epoch in 1..=config.epochs {
        let slope = problem.slope(model);
        let place = || format!("epoch {epoch}");
        finite("the loss", slope.loss, place, HINT)?;
        optimizer.step("weight", &mut model.weight, &slope.d_weight, rates.weight)?;
        optimizer.step("bias", &mut model.bias, &slope.d_bias, rates.weight)?;
        if config.alpha_gradient == AlphaGradient::Epoch {
            gradients.fill(0.0);
        }
        add(&mut gradients, &slope.d_alpha);
        if epoch % config.alpha_every == 0 {
            for (alpha, gradient) in model.alpha.iter_mut().zip(&gradients) {
                *alpha -= rates.alpha as f32 * gradient;
            }
        }
        for values in [&model.weight, &model.bias, &model.alpha] {
            let wrong = values.iter().find(|value| !value.is_finite());
            finite(
                "a parameter",
                wrong.map_or(0.0, |&v| f64::from(v)),
                place,
                HINT,
            )?;
        }
        epochs.push(FitEpoch {
            epoch,
            lr: rates.weight,
            loss: slope.loss,
            train_accuracy: slope.right as f64 / problem.labels.len() as f64,
        });
        each(epoch, model)?;
    }
    Ok(epochs)
}

/// Logits (images x classes) of features of length one.
fn logits(model: &Model, texts: &[f32], units: &[f32], width: usize) -> Vec<f32> {
    let classes = model.bias.len();
    let mut logits = vec![0.0; units.len() / width * classes];
    let sizes = (units.len() / width, classes, width);
    let vectors = model.vectors(texts, width);
    matrix_product(sizes, (units, false), (&vectors, true), &mut logits);
    for row in logits.chunks_exact_mut(classes) {
        add(row, &model.bias);
    }
    logits
}
