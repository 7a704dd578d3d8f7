//! A baseline: fitted at once. An interrupted fit begins anew, and comes to the same.

use std::collections::BTreeMap;

use vlpt_adapter::metrics::{self, Scored};
use vlpt_adapter::{Classifier, ImageAdaptation, View, ViewStore};
use vlpt_data::{Metric, Sample};
use vlpt_methods::head::{FitEpoch, Head, HeadInputs, Labelled, Unprojected, first_largest};
use vlpt_methods::{Fit, MethodError};
use vlpt_optim::OptimizerState;

use super::RunSummary;
use super::job::Job;
use super::outcome::Outcome;
use crate::checkpoint::{Checkpoint, Position};
use crate::events::{EpochEnd, Event};
use crate::sampler::epoch_order;
use crate::{Result, TrainError, TrainObserver, Views};

/// The templates that do for any task.
const GENERAL_TEMPLATES: &str = "imagenet-80";

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
    let Fit::Head(fit) = config.method.spec().fit else {
        let name = config.method.name();
        return Err(MethodError::Baseline { name }.into());
    };
    let class_weights = config.train.class_weights.of(data)?;
    let general = vlpt_data::catalogue::template_set(GENERAL_TEMPLATES);
    let [train_images, val_images] = [&data.train.samples, &val.samples].map(|items| images(items));
    let inputs = HeadInputs {
        seed: config.seed,
        clip,
        classes: &task.classes,
        templates: &task.templates,
        general_templates: general.map_or(&[][..], |set| &set.templates),
        multi_label: task.multi_label,
        class_weights: class_weights.as_deref(),
        metric_name: task.metric.name(),
        metric: &|logits, labels| metric(task.metric, task.classes.len(), logits, labels),
        order: &|images, epoch| {
            if config.train.shuffle {
                epoch_order(images, config.seed, epoch)
            } else {
                (0..images).collect()
            }
        },
        train: labelled(&train_images),
        views: &views,
        unprojected: store.as_ref().map(|train| Unprojected {
            train,
            val: &val_rows,
        }),
        val: labelled(&val_images),
        val_features: &val_features,
    };
    let fitted = fit(&config.method, &inputs, observer).map_err(|error| match error {
        MethodError::Stopped => TrainError::Stopped {
            dir: job.dir.to_owned(),
            epochs: 0,
        },
        other => other.into(),
    })?;
    let (classes, embed) = (&task.classes, clip.config.embed_dim);
    let classifier = match fitted.head {
        Head::Text(text) => Classifier::cosine(classes, embed, text, clip.logit_scale)?,
        Head::Projected { text, projection } => {
            let visual = ImageAdaptation::of_projection(projection);
            Classifier::cosine(classes, embed, text, clip.logit_scale)?.with_visual(Some(visual))
        }
        Head::Features(head) => Classifier::of_features(classes, embed, head),
    };
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

/// Names and labels of some images.
fn images(items: &[Sample]) -> (Vec<String>, Vec<Vec<u32>>) {
    let one = |item: &Sample| (item.image.id(), item.labels.clone());
    items.iter().map(one).unzip()
}

fn labelled((ids, labels): &(Vec<String>, Vec<Vec<u32>>)) -> Labelled<'_> {
    Labelled { ids, labels }
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

/// The metric of a task, computed as evaluation computes it; none where it is undefined.
pub(crate) fn metric(
    metric: Metric,
    classes: usize,
    logits: &[f32],
    labels: &[Vec<u32>],
) -> Option<f64> {
    if metric == Metric::Accuracy && labels.iter().all(|own| own.len() == 1) {
        return Some(accuracy(logits, labels));
    }
    let raw = Scored::from_f32(logits, classes, labels.to_vec()).ok()?;
    let scored = match metric {
        Metric::RocAuc | Metric::ElevenPointMap => raw.softmax(),
        Metric::Accuracy | Metric::MeanPerClass => raw,
    };
    metrics::evaluate(metric, &scored).ok()
}

/// Accuracy without a copy of anything, for it is asked for thousands of times.
fn accuracy(logits: &[f32], labels: &[Vec<u32>]) -> f64 {
    let rows = logits.chunks_exact((logits.len() / labels.len().max(1)).max(1));
    let right = rows
        .zip(labels)
        .filter(|(row, own)| own[0] as usize == first_largest(row));
    right.count() as f64 / labels.len().max(1) as f64
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
    let budget = job.config.compute.resolved_memory_mb() << 19;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_accuracy_is_the_metric() {
        let logits = [1.0, 2.0, 2.0, 3.0, 0.0, 3.0, -1.0, -2.0, -3.0];
        let labels = [vec![1], vec![2], vec![0]];
        let scored = Scored::from_f32(&logits, 3, labels.to_vec()).unwrap();
        let expected = metrics::evaluate(Metric::Accuracy, &scored).unwrap();
        assert_eq!(accuracy(&logits, &labels), expected);
        assert_eq!(expected, 2.0 / 3.0);
    }
}
