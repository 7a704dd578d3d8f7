//! A prompt method: steps of gradient descent, with checkpoints.

use std::sync::Arc;

use serde_json::{Value, json};
use vlpt_methods::{Build, Method};

use super::job::Job;
use super::outcome::Outcome;
use super::{EVENTS, RunSummary};
use crate::checkpoint::{Checkpoint, Position};
use crate::events::{Event, read_events};
use crate::trainer::{ImageInput, TaskPart, Trainer, Workload};
use crate::{Member, Result, TrainObserver};
use vlpt_adapter::VAL_TASKS;

/// Trains what is left to train and writes the result.
pub(super) fn run(
    job: &Job,
    start: Position,
    checkpoint: Option<Checkpoint>,
    observer: &dyn TrainObserver,
) -> Result<RunSummary> {
    let Job {
        lock,
        config,
        clip,
        data,
        val,
        ..
    } = *job;
    let task = &data.task;
    let method: Arc<dyn Method> = config
        .method
        .build(&Build {
            clip,
            classes: task.classes.len(),
            seed: config.seed,
        })?
        .into();
    if let Some(initial) = job.initial {
        initial.put_into(method.as_ref())?;
    }
    let images = ImageInput::prepare(
        config,
        &job.extractor,
        (&data.train.samples, job.train_hashes),
        (&val.samples, job.val_hashes),
        method.needs().pixels,
        observer,
    )?;
    let work = Workload {
        config,
        clip,
        classes: &task.classes,
        tasks: data
            .members
            .iter()
            .map(|member| part(job, member))
            .collect(),
        mask: config.multitask.label_space.into(),
        mix: config.multitask.mix,
        temperature: config.multitask.temperature,
        class_weights: config.train.class_weights.of(data)?,
        train: &data.train.samples,
        val: &val.samples,
        images,
        extractor: job.extractor.clone(),
    };
    let events = checkpoint.as_ref().map_or(0, |c| c.position.events);
    let mut log = job.log(events)?;
    let fingerprint = start.data.clone();
    let mut trainer = Trainer::new(&work, method, start, checkpoint)?;
    if events == 0 {
        let (parameters, steps) = (trainer.parameter_count(), trainer.steps_per_epoch());
        let event = job.start(&fingerprint, parameters, trainer.epochs(), steps);
        log.push(&event)?;
        observer.event(&event);
    }
    trainer.run(lock, &mut log, observer)?;
    // What is left takes no step: after a kill here, all of it is done again from this checkpoint.
    trainer.checkpoint(lock, &mut log, observer)?;
    let last = trainer.parameters()?;
    let (selected_epoch, val) = trainer.select()?;
    let outcome = Outcome {
        shapes: trainer.shapes(),
        parameters: trainer.parameters()?,
        classifier: trainer.classifier()?,
        templates: None,
        epochs: trainer.position().epoch,
        selected_epoch,
        val,
        metrics: epochs(job, selected_epoch)?,
    };
    trainer.put_back(&last)?;
    let summary = job.end(&outcome, &mut log, observer)?;
    trainer.finish(lock, &mut log, observer)?;
    Ok(summary)
}

/// One of the tasks for the loop.
fn part(job: &Job, member: &Member) -> TaskPart {
    TaskPart {
        name: member.name.clone(),
        classes: member.classes.clone(),
        metric: member.metric,
        multi_label: member.multi_label,
        train: member.train.clone().collect(),
        val: job.val_of(member).collect(),
    }
}

/// What the last epoch measured on its training images, and of several tasks what the selected one
/// measured on the validation images of each.
fn epochs(job: &Job, selected: usize) -> Result<Value> {
    let events = read_events(&job.dir.join(EVENTS))?;
    let epochs = events.into_iter().filter_map(|event| match event {
        Event::Epoch(epoch) => Some(epoch),
        _ => None,
    });
    let mut metrics = json!({});
    for epoch in epochs {
        metrics["train_loss"] = json!(epoch.loss);
        metrics["train_accuracy"] = json!(epoch.train_accuracy);
        if epoch.epoch == selected && !epoch.val_tasks.is_empty() {
            metrics[VAL_TASKS] = json!(epoch.val_tasks);
        }
    }
    Ok(metrics)
}
