//! The loop: batches, passes, updates and checkpoints, one step after another.

mod class_features;
mod epoch;
mod images;
mod memory_plan;
mod parameters;
mod regulariser;
mod stages;
mod step;
mod texts;
mod timeline;
mod two_features;
mod validate;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vlpt_methods::Method;
use vlpt_optim::Optimizer;

use crate::checkpoint::{Checkpoint, Position};
use crate::events::{Event, EventLog, StepEnd};
use crate::lock::RunLock;
use crate::optim::optimizer;
use crate::sampler::{Batch, Sampler};
use crate::{Result, RunConfig, StepReport, TrainError, TrainObserver};

use images::BatchImages;
use stages::{StageState, shares};
use step::StepEngine;
use timeline::Timeline;

pub(crate) use images::ImageInput;
pub(crate) use workload::{TaskPart, Workload};

/// A run in memory.
pub(crate) struct Trainer<'a> {
    work: &'a Workload<'a>,
    method: Arc<dyn Method>,
    engine: StepEngine<'a>,
    batches: Sampler,
    optimizer: Box<dyn Optimizer>,
    timeline: Timeline,
    stage: StageState,
    position: Position,
    best: BTreeMap<String, Vec<f32>>,
    /// The average of parameters so far, of a method that ends with one.
    average: BTreeMap<String, Vec<f32>>,
    /// The images of the next step, made while this one ran.
    ahead: Option<BatchImages>,
}

impl<'a> Trainer<'a> {
    /// The beginning of a run, or where `checkpoint` left it.
    pub(crate) fn new(
        work: &'a Workload<'a>,
        method: Arc<dyn Method>,
        start: Position,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self> {
        let train = &work.config.train;
        let batches = work.batches();
        let mut trainer = Self {
            work,
            engine: StepEngine::new(work, Arc::clone(&method))?,
            optimizer: optimizer(train),
            timeline: Timeline::new(work.config, &shares(method.as_ref()), batches.steps())?,
            stage: StageState::new(method.as_ref(), 0),
            position: start,
            best: BTreeMap::new(),
            average: BTreeMap::new(),
            batches,
            method,
            ahead: None,
        };
        if let Some(checkpoint) = checkpoint {
            for parameter in trainer.method.parameters() {
                let values = checkpoint.parameters.get(parameter.name());
                parameter.set(values.map_or(&[], Vec::as_slice))?;
            }
            trainer.optimizer.restore(checkpoint.optimizer)?;
            trainer.best = checkpoint.best;
            trainer.average = checkpoint.average;
            trainer.position = checkpoint.position;
        }
        Ok(trainer)
    }

    /// Where the run stands.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// Runs all epochs that are left, stage by stage; checkpoints go into the run folder.
    pub(crate) fn run(
        &mut self,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        let train = &self.work.config.train;
        if self.timeline.is_all_warm_up() && self.position.epoch == 0 && train.lr != train.warmup_lr
        {
            observer.note(&format!(
                "the warm-up lasts as long as the run, so that train.lr = {} is never reached: give it more \
                 epochs or steps, or train.warmup = \"none\"",
                train.lr
            ));
        }
        loop {
            self.enter(folder, log, observer)?;
            let (number, stages) = (self.stage.number, self.timeline.stages());
            let Position { epoch, step, .. } = self.position;
            let what = match stages {
                1 => "training".to_owned(),
                _ => format!("training, stage {} of {stages}", number + 1),
            };
            observer.start(&what, self.timeline.left(number, epoch, step) as u64);
            let end = self.timeline.span(number).end;
            let result = self.run_epochs(end, folder, log, observer);
            observer.finish();
            result?;
            if number + 1 == stages {
                return Ok(());
            }
        }
    }

    fn run_epochs(
        &mut self,
        epochs: usize,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        let pause = Duration::from_secs(self.work.config.compute.checkpoint_seconds);
        let mut written = Instant::now();
        let seed = self.work.config.seed;
        let mut batches = self.batches.epoch(seed, self.position.epoch);
        while self.position.epoch < epochs {
            let epoch = self.position.epoch;
            let steps = self.timeline.steps(epoch);
            let following = if epoch + 1 < epochs {
                self.batches.epoch(seed, epoch + 1)
            } else {
                Vec::new()
            };
            while self.position.step < steps {
                let step = self.position.step;
                let lr = self.timeline.rate(epoch, step);
                let next = match batches[..steps].get(step + 1) {
                    Some(batch) => Some((epoch, batch)),
                    None => following.first().map(|batch| (epoch + 1, batch)),
                };
                let loss = self.step(&batches[step], next, lr)?;
                self.position.step += 1;
                if self.work.config.train.log_steps {
                    let (epoch, step) = (epoch + 1, step + 1);
                    let event = Event::Step(StepEnd { epoch, step, loss });
                    log.push(&event)?;
                    observer.event(&event);
                }
                observer.advance(1);
                observer.step(&StepReport {
                    epoch,
                    step,
                    steps,
                    lr,
                    loss,
                });
                let epoch_ends = self.position.step == steps;
                if !epoch_ends && (observer.should_stop() || written.elapsed() >= pause) {
                    self.checkpoint(folder, log, observer)?;
                    written = Instant::now();
                    self.stop_if_asked(folder.dir(), observer)?;
                }
            }
            batches = following;
            let last = self.timeline.rate(epoch, steps.saturating_sub(1));
            let event = self.end_epoch(last)?;
            log.push(&event)?;
            observer.event(&event);
            if observer.should_stop() || written.elapsed() >= pause {
                self.checkpoint(folder, log, observer)?;
                written = Instant::now();
                self.stop_if_asked(folder.dir(), observer)?;
            }
        }
        Ok(())
    }

    fn stop_if_asked(&self, dir: &std::path::Path, observer: &dyn TrainObserver) -> Result<()> {
        if observer.should_stop() {
            let epochs = self.position.epoch;
            return Err(TrainError::Stopped {
                dir: dir.to_owned(),
                epochs,
            });
        }
        Ok(())
    }

    /// One step on a batch, while the images of the next one are made; gives the mean loss before
    /// the step.
    fn step(&mut self, batch: &Batch, next: Option<(usize, &Batch)>, lr: f64) -> Result<f64> {
        let (work, embed) = (self.work, self.work.clip.config.embed_dim);
        let Position { epoch, step, .. } = self.position;
        let (ahead, number) = (self.ahead.take(), epoch * self.timeline.per_epoch() + step);
        let step = self.engine.prepare(batch, number as u64)?;
        let (engine, stage) = (&self.engine, &self.stage);
        let source = stage.features.as_ref().unwrap_or(&work.images.train);
        let images = match ahead {
            Some(images) => images,
            None => source.batch(epoch, &batch.images, embed)?,
        };
        let (passed, ahead) = rayon::join(
            || engine.pass(stage, &step, &images),
            || next.map(|(epoch, batch)| source.batch(epoch, &batch.images, embed)),
        );
        let passed = passed?;
        if !passed.loss.is_finite() {
            return Err(TrainError::Diverged {
                epoch: epoch + 1,
                step: self.position.step + 1,
                loss: passed.loss,
            });
        }
        self.count(&step, &passed);
        let ahead = ahead.transpose()?;
        self.update(lr, &passed.gradients)?;
        self.ahead = ahead;
        Ok(passed.loss)
    }

    fn update(&mut self, lr: f64, gradients: &[Vec<f32>]) -> Result<()> {
        let parameters = &self.stage.trained;
        let mut values: Vec<Vec<f32>> = parameters
            .iter()
            .map(|parameter| Ok(parameter.values()?))
            .collect::<Result<_>>()?;
        for ((parameter, values), gradient) in parameters.iter().zip(&mut values).zip(gradients) {
            self.optimizer
                .step(parameter.name(), values, gradient, lr)?;
        }
        for (parameter, values) in parameters.iter().zip(&values) {
            if !values.iter().all(|value| value.is_finite()) {
                return Err(TrainError::ParameterDiverged {
                    parameter: parameter.name().to_owned(),
                    epoch: self.position.epoch + 1,
                    step: self.position.step + 1,
                });
            }
            parameter.set(values)?;
        }
        Ok(())
    }

    /// Number of trainable values.
    pub(crate) fn parameter_count(&self) -> usize {
        self.method.parameter_count()
    }

    /// Number of epochs of the whole run.
    pub(crate) fn epochs(&self) -> usize {
        self.timeline.epochs()
    }

    /// Steps of a whole epoch.
    pub(crate) fn steps_per_epoch(&self) -> usize {
        self.timeline.per_epoch()
    }
}

/// Refuses a length that gives one of a method's stages nothing.
///
/// # Errors
/// Fewer epochs, or steps, than stages.
pub(crate) fn check_length(config: &RunConfig, method: &dyn Method) -> Result<()> {
    Timeline::new(config, &shares(method), 1).map(|_| ())
}

#[cfg(test)]
mod tests;
