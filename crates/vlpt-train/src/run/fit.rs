//! A baseline: fitted at once. An interrupted fit begins anew, and comes to the same.

use std::collections::BTreeMap;

use super::RunSummary;
use super::execute::Job;
use super::result::Outcome;
use crate::baseline::{FittedHead, Inputs, fit};
use crate::checkpoint::{Checkpoint, Position};
use crate::events::Event;
use crate::optim::OptimizerState;
use crate::{Classifier, Method, Observer, Result, View, Views};

/// Fits and writes the result.
pub(super) fn run(job: &Job, start: Position, observer: &dyn Observer) -> Result<RunSummary> {
    let Job {
        config,
        clip,
        data,
        val,
        ..
    } = *job;
    let task = &data.task;
    let views = views(job, observer)?;
    let val_items = &val.samples;
    let val_features = job
        .maker
        .features(val_items, job.val_hashes, View::Centre, observer)?;
    let method = config.method_config();
    let fitted = fit(
        &Inputs {
            method: &method,
            seed: config.seed,
            clip,
            classes: &task.classes,
            templates: &task.templates,
            multi_label: task.multi_label,
            metric: task.metric,
            train: &data.train.samples,
            views: &views,
            val: val_items,
            val_features: &val_features,
            dir: job.dir,
        },
        observer,
    )?;
    let (classes, embed) = (&task.classes, clip.config.embed_dim);
    let classifier = match fitted.head {
        FittedHead::Text(text) => Classifier::cosine(classes, embed, text, clip.logit_scale)?,
        FittedHead::Linear {
            normalised,
            weight,
            bias,
        } => Classifier::linear(classes, embed, weight, bias, normalised)?,
        FittedHead::Cached(adapter) => Classifier::cached(classes, adapter)?,
    };
    let epochs = fitted.epochs.len();
    let mut log = job.log(0)?;
    let begin = job.start(&start.data, fitted.parameters, epochs, 0);
    for event in [begin]
        .into_iter()
        .chain(fitted.epochs.into_iter().map(Event::Epoch))
    {
        log.push(&event)?;
        observer.event(&event);
    }
    let outcome = Outcome {
        // What a baseline learned is its classifier.
        shapes: BTreeMap::new(),
        parameters: BTreeMap::new(),
        classifier,
        templates: fitted.templates,
        epochs,
        selected_epoch: epochs,
        val: fitted.val,
        metrics: fitted.metrics,
    };
    let summary = job.end(&outcome, &mut log, observer)?;
    let checkpoint = Checkpoint {
        position: Position {
            epoch: epochs,
            events: log.sync()?,
            finished: true,
            ..start
        },
        parameters: BTreeMap::new(),
        optimizer: OptimizerState::default(),
        best: BTreeMap::new(),
    };
    checkpoint.write(job.dir)?;
    Ok(summary)
}

/// Features of the training images, one block a view; none for a method that looks at no image.
fn views(job: &Job, observer: &dyn Observer) -> Result<Vec<Vec<f32>>> {
    let config = job.config;
    if config.method == Method::ZeroShot {
        return Ok(Vec::new());
    }
    let random = |number| View::Random {
        augment: config.views.augment(),
        seed: config.seed,
        number,
    };
    let views: Vec<View> = match config.views.mode {
        Views::None | Views::Fresh => vec![View::Centre],
        Views::Bank => (0..config.views.count as u64).map(random).collect(),
    };
    let items = &job.data.train.samples;
    job.maker.views(items, job.train_hashes, &views, observer)
}
