//! A prompt method: steps of gradient descent, with checkpoints.

use std::sync::Arc;

use serde_json::json;
use vlpt_methods::PromptMethod;

use super::execute::Job;
use super::result::Outcome;
use super::{EVENTS, RunSummary};
use crate::checkpoint::{Checkpoint, Position};
use crate::events::{Event, read_events};
use crate::trainer::{ImageInput, TaskPart, Trainer, Workload, has_visual};
use crate::{Mask, Mix, Observer, Result};

/// Trains what is left to train and writes the result.
pub(super) fn run(
    job: &Job,
    start: Position,
    checkpoint: Option<Checkpoint>,
    observer: &dyn Observer,
) -> Result<RunSummary> {
    let Job {
        dir,
        config,
        clip,
        data,
        val,
        ..
    } = *job;
    let task = &data.task;
    let method: Arc<dyn PromptMethod> = config
        .method_config()
        .build(clip, task.classes.len(), config.seed)?
        .into();
    let images = ImageInput::prepare(
        config,
        &job.maker,
        (&data.train.items, job.train_hashes),
        (&val.items, job.val_hashes),
        has_visual(method.as_ref())?,
        observer,
    )?;
    let work = Workload {
        config,
        clip,
        classes: &task.classes,
        tasks: vec![TaskPart {
            name: task.name.clone(),
            classes: 0..task.classes.len(),
            metric: task.metric,
            multi_label: task.multi_label,
            train: (0..data.train.items.len()).collect(),
            val: (0..val.items.len()).collect(),
        }],
        mask: Mask::Union,
        mix: Mix::Proportional,
        temperature: 1.0,
        train: &data.train.items,
        val: &val.items,
        images,
        maker: job.maker.clone(),
    };
    let events = checkpoint.as_ref().map_or(0, |c| c.position.events);
    let mut log = job.log(events)?;
    let fingerprint = start.data.clone();
    let mut trainer = Trainer::new(&work, method, start, checkpoint)?;
    if events == 0 {
        let (parameters, steps) = (trainer.parameter_count(), trainer.steps_per_epoch());
        let event = job.start(&fingerprint, parameters, config.epochs(), steps);
        log.push(&event)?;
        observer.event(&event);
    }
    trainer.run(dir, &mut log, observer)?;
    // What is left takes no step: after a kill here, all of it is done again from this checkpoint.
    trainer.checkpoint(dir, &mut log, observer)?;
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
        metrics: last_epoch(job)?,
    };
    trainer.put_back(&last)?;
    let summary = job.end(&outcome, &mut log, observer)?;
    trainer.finish(dir, &mut log, observer)?;
    Ok(summary)
}

/// What the last epoch measured on its training images.
fn last_epoch(job: &Job) -> Result<serde_json::Value> {
    let last = read_events(&job.dir.join(EVENTS))?
        .into_iter()
        .rev()
        .find_map(|event| match event {
            Event::Epoch(epoch) => Some(epoch),
            _ => None,
        });
    Ok(last.map_or_else(
        || json!({}),
        |last| json!({"train_loss": last.loss, "train_accuracy": last.train_accuracy}),
    ))
}
