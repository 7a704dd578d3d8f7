//! A baseline: fitted at once. An interrupted fit begins anew, and comes to the same.

use std::collections::BTreeMap;

use vlpt_adapter::{View, ViewStore};
use vlpt_methods::MethodError;
use vlpt_methods::head::{FitEpoch, Unprojected};
use vlpt_optim::OptimizerState;

use super::RunSummary;
use super::job::Job;
use super::outcome::Outcome;
use crate::checkpoint::{Checkpoint, Position};
use crate::events::{EpochEnd, Event};
use crate::heads::{HeadImages, fit_head, head_classifier};
use crate::{Result, TrainError, TrainObserver, Views};

/// Fits and writes the result.
pub(super) fn run(job: &Job, start: Position, observer: &dyn TrainObserver) -> Result<RunSummary> {
    let Job {
        config,
        clip,
        data,
        val,
        ..
    } = *job;
    let task = &data.task;
    let needs = config.method.needs();
    let (views, store, val_rows) = if needs.unprojected {
        let rows =
            job.extractor
                .unprojected(&val.samples, job.val_hashes, View::Centre, observer)?;
        (Vec::new(), Some(store(job, observer)?), rows)
    } else {
        (views(job, observer)?, None, Vec::new())
    };
    let val_features =
        job.extractor
            .features(&val.samples, job.val_hashes, View::Centre, observer)?;
    let images = HeadImages {
        train: &data.train.samples,
        views: &views,
        unprojected: store.as_ref().map(|train| Unprojected {
            train,
            val: &val_rows,
        }),
        val: &val.samples,
        val_features: &val_features,
    };
    let fitted = fit_head(config, clip, data, &images, observer).map_err(|error| match error {
        TrainError::Method(MethodError::Stopped) => TrainError::Stopped {
            dir: job.dir.to_owned(),
            epochs: 0,
        },
        other => other,
    })?;
    let classifier = head_classifier(fitted.head, clip, &task.classes)?;
    let epochs = fitted.epochs.len();
    let mut log = job.log(0)?;
    let begin = job.start(&start.data, fitted.parameters, epochs, 0);
    let each = fitted.epochs.iter().map(|epoch| Event::Epoch(event(epoch)));
    for event in [begin].into_iter().chain(each) {
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
        // One that chooses among its epochs says which in its metrics.
        selected_epoch: fitted.metrics["epoch"]
            .as_u64()
            .map_or(epochs, |epoch| epoch as usize),
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
        average: BTreeMap::new(),
    };
    checkpoint.write(job.lock.held()?)?;
    Ok(summary)
}

fn event(epoch: &FitEpoch) -> EpochEnd {
    EpochEnd {
        epoch: epoch.epoch,
        lr: epoch.lr,
        loss: epoch.loss,
        train_accuracy: epoch.train_accuracy,
        val: None,
        val_tasks: Vec::new(),
    }
}

/// Features of the training images, one block a view; none for a method that looks at no image.
fn views(job: &Job, observer: &dyn TrainObserver) -> Result<Vec<Vec<f32>>> {
    if job.config.method.needs().no_images {
        return Ok(Vec::new());
    }
    let items = &job.data.train.samples;
    let views = drawn_views(job);
    Ok(job
        .extractor
        .views(items, job.train_hashes, &views, observer)?)
}

/// The same views before the tower's projection, in half of the run's memory, else on disk.
fn store<'j>(job: &'j Job, observer: &'j dyn TrainObserver) -> Result<ViewStore<'j>> {
    let images = (&*job.data.train.samples, job.train_hashes);
    let budget = job
        .config
        .compute
        .resolved_memory_mb()
        .saturating_mul(1 << 19);
    Ok(job
        .extractor
        .view_store(images, &drawn_views(job), budget, observer)?)
}

/// The views of each training image that a fit sees.
fn drawn_views(job: &Job) -> Vec<View> {
    let config = job.config;
    let random = |number| View::Random {
        augment: config.views.augment(),
        seed: config.seed,
        number,
    };
    match config.views.mode {
        Views::None | Views::Online => vec![View::Centre],
        Views::Cached => (0..config.views.count as u64).map(random).collect(),
    }
}
