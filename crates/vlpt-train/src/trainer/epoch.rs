//! What an epoch measured, and its part in what the run ends with.

use super::Trainer;
use super::step::{Step, StepResult};
use crate::Result;
use crate::events::{EpochEnd, Event};

impl Trainer<'_> {
    /// Adds a batch to the sums of its epoch.
    pub(super) fn count(&mut self, step: &Step, passed: &StepResult) {
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

    /// Ends an epoch whose last step had the rate `lr`: what it measured, on the validation images where
    /// these choose, and its part in what the run ends with.
    pub(super) fn end_epoch(&mut self, lr: f64) -> Result<Event> {
        // Of several stages the last one's epochs are chosen among: the others are no result yet.
        let last = self.stage.number + 1 == self.timeline.stages();
        let validated = last && self.work.config.train.select.judges_epochs();
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
        let epochs = self.timeline.epochs();
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
}
