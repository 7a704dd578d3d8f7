//! The loop: features and prompts to logits, loss and gradients, one step after another.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use vlpt_clip::{Clip, MemoryBudget, TextPlan};
use vlpt_data::{Item, Metric};
use vlpt_methods::{Parameter, Pass, PromptMethod};

use crate::checkpoint::{Checkpoint, Position};
use crate::events::{EpochEnd, Event, EventLog};
use crate::loss::{LossHead, LossInput};
use crate::metrics;
use crate::optim::{Optimizer, optimizer};
use crate::order::{epoch_order, steps};
use crate::schedule::Schedule;
use crate::{
    Classifier, FeatureMaker, Observer, Result, RunConfig, Select, StepReport, TrainError, View,
    Views,
};

/// What the loop works on; nothing of it changes during a run.
pub(crate) struct Workload<'a> {
    /// The resolved configuration.
    pub(crate) config: &'a RunConfig,
    /// The frozen model.
    pub(crate) clip: &'a Clip,
    /// Class names.
    pub(crate) classes: &'a [String],
    /// Whether an image may have several labels.
    pub(crate) multi_label: bool,
    /// The task's metric.
    pub(crate) metric: Metric,
    /// Images trained on.
    pub(crate) train: &'a [Item],
    /// Images that choose the epoch.
    pub(crate) val: &'a [Item],
    /// Features of the training images: one matrix for each view of a bank; none with fresh views.
    pub(crate) views: Vec<Vec<f32>>,
    /// Features of the validation images; empty when the last epoch is taken.
    pub(crate) val_features: Vec<f32>,
    /// Makes the features of fresh views.
    pub(crate) maker: FeatureMaker<'a>,
}

/// A run in memory.
pub(crate) struct Trainer<'a> {
    work: &'a Workload<'a>,
    method: Box<dyn PromptMethod>,
    plan: TextPlan,
    optimizer: Box<dyn Optimizer>,
    schedule: Schedule,
    position: Position,
    best: BTreeMap<String, Vec<f32>>,
    steps: usize,
}

impl<'a> Trainer<'a> {
    /// The beginning of a run, or where `checkpoint` left it.
    pub(crate) fn new(
        work: &'a Workload<'a>,
        method: Box<dyn PromptMethod>,
        start: Position,
        checkpoint: Option<Checkpoint>,
    ) -> Result<Self> {
        let texts = method.texts(&work.clip.tokenizer, work.classes)?;
        let budget = MemoryBudget {
            bytes: work.config.compute.memory_mb << 20,
        };
        let train = &work.config.train;
        let mut trainer = Self {
            work,
            plan: work.clip.text.plan(&texts, budget),
            optimizer: optimizer(train),
            schedule: Schedule::of(train, work.config.epochs()),
            position: start,
            best: BTreeMap::new(),
            steps: steps(work.train.len(), train.batch_size, train.drop_last),
            method,
        };
        if let Some(checkpoint) = checkpoint {
            for parameter in trainer.method.parameters() {
                let values = checkpoint.parameters.get(parameter.name());
                parameter.set(values.map_or(&[], Vec::as_slice))?;
            }
            trainer.optimizer.restore(checkpoint.optimizer)?;
            trainer.best = checkpoint.best;
            trainer.position = checkpoint.position;
        }
        Ok(trainer)
    }

    /// Where the run stands.
    pub(crate) fn position(&self) -> &Position {
        &self.position
    }

    /// Runs all epochs that are left; `dir` is the run folder for checkpoints.
    pub(crate) fn run(
        &mut self,
        dir: &Path,
        log: &mut EventLog,
        observer: &dyn Observer,
    ) -> Result<()> {
        let epochs = self.work.config.epochs();
        let left = epochs - self.position.epoch.min(epochs);
        observer.start(
            "training",
            (left * self.steps).saturating_sub(self.position.step) as u64,
        );
        let result = self.run_epochs(epochs, dir, log, observer);
        observer.finish();
        result
    }

    fn run_epochs(
        &mut self,
        epochs: usize,
        dir: &Path,
        log: &mut EventLog,
        observer: &dyn Observer,
    ) -> Result<()> {
        let pause = Duration::from_secs(self.work.config.compute.checkpoint_seconds);
        let mut written = Instant::now();
        while self.position.epoch < epochs {
            let epoch = self.position.epoch;
            let order = epoch_order(self.work.train.len(), self.work.config.seed, epoch);
            let lr = self.schedule.rate(epoch);
            while self.position.step < self.steps {
                let step = self.position.step;
                let size = self.work.config.train.batch_size;
                let batch = &order[step * size..order.len().min((step + 1) * size)];
                let loss = self.step(epoch, batch, lr)?;
                self.position.step += 1;
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
                    self.checkpoint(dir, log, observer)?;
                    written = Instant::now();
                    self.stop_if_asked(dir, observer)?;
                }
            }
            let event = self.end_epoch(lr)?;
            log.push(&event)?;
            observer.event(&event);
            if observer.should_stop() || written.elapsed() >= pause {
                self.checkpoint(dir, log, observer)?;
                written = Instant::now();
                self.stop_if_asked(dir, observer)?;
            }
        }
        Ok(())
    }

    fn stop_if_asked(&self, dir: &Path, observer: &dyn Observer) -> Result<()> {
        if observer.should_stop() {
            let epochs = self.position.epoch;
            return Err(TrainError::Stopped {
                dir: dir.to_owned(),
                epochs,
            });
        }
        Ok(())
    }

    /// One step on the images at `batch`; gives the mean loss before it.
    fn step(&mut self, epoch: usize, batch: &[usize], lr: f64) -> Result<f64> {
        let work = self.work;
        let images = self.batch_features(epoch, batch)?;
        let prompts = self.method.prompts(&Pass::EVAL)?;
        let rows = prompts.text_values()?;
        let (texts, tape) = work.clip.text.forward(&self.plan, &rows);
        let head = LossHead {
            loss: work.config.train.loss.into(),
            scale: work.clip.logit_scale,
        };
        let targets: Vec<Vec<u32>> = batch
            .iter()
            .map(|&i| work.train[i].labels.clone())
            .collect();
        let embed = work.clip.config.embed_dim;
        let output = head.step(&LossInput {
            d_images: false,
            ..LossInput::new(&images, &texts, embed, &targets)
        })?;
        if !output.loss.is_finite() {
            let (epoch, step) = (epoch + 1, self.position.step + 1);
            return Err(TrainError::Diverged {
                epoch,
                step,
                loss: output.loss,
            });
        }
        let d_rows = work.clip.text.backward(&self.plan, tape, &output.d_texts);
        let gradients = prompts.gradients(self.method.parameters(), Some(&d_rows), None)?;
        self.count(batch, output.loss, &output.logits);
        self.update(lr, &gradients)?;
        Ok(output.loss)
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
            parameter.set(values)?;
        }
        Ok(())
    }

    /// Image features of a batch (batch x embed), by the configured kind of views.
    fn batch_features(&self, epoch: usize, batch: &[usize]) -> Result<Vec<f32>> {
        let work = self.work;
        let embed = work.clip.config.embed_dim;
        if work.config.views.mode == Views::Fresh {
            let items: Vec<Item> = batch.iter().map(|&i| work.train[i].clone()).collect();
            let view = View::Random {
                augment: work.config.views.augment(),
                seed: work.config.seed,
                number: epoch as u64,
            };
            return work.maker.batch_features(&items, view);
        }
        // Neighbours use different views in the same epoch, and every image uses all in turn.
        let row = |i: usize| {
            let view = &work.views[(epoch + i) % work.views.len()];
            &view[i * embed..(i + 1) * embed]
        };
        Ok(batch.iter().flat_map(|&i| row(i)).copied().collect())
    }

    /// Adds a batch to the sums of its epoch.
    fn count(&mut self, batch: &[usize], loss: f64, logits: &[f32]) {
        let c = self.work.classes.len();
        for (row, &i) in logits.chunks_exact(c).zip(batch) {
            let top = metrics::first_largest(row) as u32;
            self.position.right += usize::from(self.work.train[i].labels.contains(&top));
        }
        self.position.loss_sum += loss * batch.len() as f64;
        self.position.seen += batch.len();
    }

    fn end_epoch(&mut self, lr: f64) -> Result<Event> {
        let validated = self.work.config.train.select == Select::BestVal;
        let val = if validated {
            Some(self.validate()?)
        } else {
            None
        };
        let position = &mut self.position;
        position.epoch += 1;
        let seen = position.seen.max(1) as f64;
        let end = EpochEnd {
            epoch: position.epoch,
            lr,
            loss: position.loss_sum / seen,
            train_accuracy: position.right as f64 / seen,
            val,
        };
        (
            position.step,
            position.seen,
            position.right,
            position.loss_sum,
        ) = (0, 0, 0, 0.0);
        if let Some(value) = val
            && position.best.is_none_or(|(_, best)| value > best)
        {
            position.best = Some((position.epoch, value));
            self.best = self.parameters()?;
        }
        Ok(Event::Epoch(end))
    }

    /// The task's metric on the validation images.
    fn validate(&self) -> Result<f64> {
        let work = self.work;
        let logits = self.classifier()?.logits(work.clip, &work.val_features)?;
        metrics::evaluate(
            work.metric,
            &metrics::scored_for(work.metric, &logits, work.val, work.classes.len())?,
        )
    }

    /// Values of the parameters by name.
    pub(crate) fn parameters(&self) -> Result<BTreeMap<String, Vec<f32>>> {
        let values = |p: &Parameter| Ok((p.name().to_owned(), p.values()?));
        self.method.parameters().iter().map(values).collect()
    }

    /// Shapes of the parameters by name.
    pub(crate) fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let shape = |p: &Parameter| (p.name().to_owned(), p.shape().to_vec());
        self.method.parameters().iter().map(shape).collect()
    }

    /// Puts the selected epoch's values into the parameters; gives its number, counted from 1, and
    /// its validation value.
    pub(crate) fn select(&self) -> Result<(usize, Option<f64>)> {
        let Some((epoch, value)) = self.position.best else {
            return Ok((self.position.epoch, None));
        };
        self.put_back(&self.best)?;
        Ok((epoch, Some(value)))
    }

    /// Puts values back into the parameters.
    pub(crate) fn put_back(&self, values: &BTreeMap<String, Vec<f32>>) -> Result<()> {
        for parameter in self.method.parameters() {
            if let Some(values) = values.get(parameter.name()) {
                parameter.set(values)?;
            }
        }
        Ok(())
    }

    /// The classifier of the parameters as they are.
    pub(crate) fn classifier(&self) -> Result<Classifier> {
        let rows = self.method.prompts(&Pass::EVAL)?.text_values()?;
        let (features, _tape) = self.work.clip.text.forward(&self.plan, &rows);
        Ok(Classifier::new(self.work.clip, self.work.classes, features))
    }

    /// Writes a checkpoint of this moment.
    pub(crate) fn checkpoint(
        &mut self,
        dir: &Path,
        log: &mut EventLog,
        observer: &dyn Observer,
    ) -> Result<()> {
        self.position.events = log.sync()?;
        let checkpoint = Checkpoint {
            position: self.position.clone(),
            parameters: self.parameters()?,
            optimizer: self.optimizer.state(),
            best: self.best.clone(),
        };
        checkpoint.write(dir)?;
        observer.checkpoint();
        Ok(())
    }

    /// Marks the run as finished and writes the last checkpoint.
    pub(crate) fn finish(
        &mut self,
        dir: &Path,
        log: &mut EventLog,
        observer: &dyn Observer,
    ) -> Result<()> {
        self.position.finished = true;
        self.checkpoint(dir, log, observer)
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
