//! The loop: batches, passes, updates and checkpoints, one step after another.

mod images;
mod memory_plan;
mod parameters;
mod regulariser;
mod step;
mod texts;
mod two_features;
mod validate;
mod workload;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vlpt_methods::Method;
use vlpt_optim::Optimizer;

use crate::checkpoint::{Checkpoint, Position};
use crate::events::{EpochEnd, Event, EventLog, StepEnd};
use crate::lock::RunLock;
use crate::optim::optimizer;
use crate::sampler::{Batch, Sampler};
use crate::schedule::Schedule;
use crate::{Result, Select, StepReport, TrainError, TrainObserver};

use images::BatchImages;
use step::{Step, StepEngine, StepResult};

pub(crate) use images::ImageInput;
pub(crate) use workload::{TaskPart, Workload};

/// A run in memory.
pub(crate) struct Trainer<'a> {
    work: &'a Workload<'a>,
    method: Arc<dyn Method>,
    engine: StepEngine<'a>,
    batches: Sampler,
    optimizer: Box<dyn Optimizer>,
    schedule: Schedule,
    position: Position,
    best: BTreeMap<String, Vec<f32>>,
    /// The average of parameters so far, of a method that ends with one.
    average: BTreeMap<String, Vec<f32>>,
    steps: usize,
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
            schedule: Schedule::of(train, work.config.epochs()),
            position: start,
            best: BTreeMap::new(),
            average: BTreeMap::new(),
            steps: batches.steps(),
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

    /// Runs all epochs that are left; checkpoints go into the run folder.
    pub(crate) fn run(
        &mut self,
        folder: &RunLock,
        log: &mut EventLog,
        observer: &dyn TrainObserver,
    ) -> Result<()> {
        let epochs = self.work.config.epochs();
        let left = epochs - self.position.epoch.min(epochs);
        observer.start(
            "training",
            (left * self.steps).saturating_sub(self.position.step) as u64,
        );
        let result = self.run_epochs(epochs, folder, log, observer);
        observer.finish();
        result
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
            let lr = self.schedule.rate(epoch);
            let following = if epoch + 1 < epochs {
                self.batches.epoch(seed, epoch + 1)
            } else {
                Vec::new()
            };
            while self.position.step < self.steps {
                let step = self.position.step;
                let next = match batches.get(step + 1) {
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
                    steps: self.steps,
                    lr,
                    loss,
                });
                let epoch_ends = self.position.step == self.steps;
                if !epoch_ends && (observer.should_stop() || written.elapsed() >= pause) {
                    self.checkpoint(folder, log, observer)?;
                    written = Instant::now();
                    self.stop_if_asked(folder.dir(), observer)?;
                }
            }
            batches = following;
            let event = self.end_epoch(lr)?;
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
        let images = match self.ahead.take() {
            Some(images) => images,
            None => work.images.train.batch(epoch, &batch.images, embed)?,
        };
        let step = self
            .engine
            .prepare(batch, (epoch * self.steps + step) as u64)?;
        let engine = &self.engine;
        let (passed, ahead) = rayon::join(
            || engine.pass(&step, &images),
            || next.map(|(epoch, batch)| work.images.train.batch(epoch, &batch.images, embed)),
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
        self.update(lr, &passed.gradients)?;
        self.ahead = ahead.transpose()?;
        Ok(passed.loss)
    }

    fn update(&mut self, lr: f64, gradients: &[Vec<f32>]) -> Result<()> {
        let parameters = self.method.parameters();
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

    /// Adds a batch to the sums of its epoch.
    fn count(&mut self, step: &Step, passed: &StepResult) {
        let images = step.targets.len();
        for (row, own) in passed
            .logits
            .chunks_exact(step.classes())
            .zip(&step.targets)
        {
            let top = vlpt_methods::head::first_largest(row) as u32;
            self.position.right += usize::from(own.contains(&top));
        }
        self.position.loss_sum += passed.loss * images as f64;
        self.position.seen += images;
    }

    fn end_epoch(&mut self, lr: f64) -> Result<Event> {
        let validated = self.work.config.train.select == Select::BestVal;
        let mut val_tasks = if validated {
            self.validate()?
        } else {
            Vec::new()
        };
        let sum: f64 = val_tasks.iter().map(|task| task.value).sum();
        let val = validated.then(|| sum / val_tasks.len().max(1) as f64);
        if self.work.tasks.len() == 1 {
            val_tasks.clear();
        }
        let position = &mut self.position;
        position.epoch += 1;
        let seen = position.seen.max(1) as f64;
        let end = EpochEnd {
            epoch: position.epoch,
            lr,
            loss: position.loss_sum / seen,
            train_accuracy: position.right as f64 / seen,
            val,
            val_tasks,
        };
        (
            position.step,
            position.seen,
            position.right,
            position.loss_sum,
        ) = (0, 0, 0, 0.0);
        self.average(end.epoch)?;
        let position = &mut self.position;
        if let Some(value) = val
            && position.best.is_none_or(|(_, best)| value > best)
        {
            position.best = Some((position.epoch, value));
            self.best = self.parameters()?;
        }
        Ok(Event::Epoch(end))
    }

    /// Adds the parameters after an epoch to the average that the method ends with, if it does.
    fn average(&mut self, epoch: usize) -> Result<()> {
        let epochs = self.work.config.epochs();
        let Some(weight) = self.method.average_weight(epoch, epochs) else {
            return Ok(());
        };
        for (name, values) in self.parameters()? {
            let len = values.len();
            let sum = self.average.entry(name).or_insert_with(|| vec![0.0; len]);
            for (sum, value) in sum.iter_mut().zip(values) {
                *sum += weight as f32 * value;
            }
        }
        Ok(())
    }

    /// Number of trainable values.
    pub(crate) fn parameter_count(&self) -> usize {
        self.method.parameter_count()
    }

    /// Steps of an epoch.
    pub(crate) fn steps_per_epoch(&self) -> usize {
        self.steps
    }
}

#[cfg(test)]
mod tests;
