//! Who watches a run: the command line, a test, or nobody.

use vlpt_clip::Observer;

use crate::Event;

/// One optimisation step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepReport {
    /// Epoch, counted from 0.
    pub epoch: usize,
    /// Step within the epoch, counted from 0.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Learning rate.
    pub lr: f64,
    /// Mean loss of the batch.
    pub loss: f64,
}

/// Watches a run, beside what an [`Observer`] sees of any work. `()` is silence. A run asks
/// [`Observer::should_stop`] after every step; `true` writes a checkpoint and ends with
/// [`TrainError::Stopped`](crate::TrainError::Stopped).
pub trait TrainObserver: Observer {
    /// Something is in `events.jsonl` now.
    fn event(&self, event: &Event) {
        let _ = event;
    }

    /// A step is done.
    fn step(&self, step: &StepReport) {
        let _ = step;
    }

    /// A checkpoint is on the disk.
    fn checkpoint(&self) {}
}

impl TrainObserver for () {}
