//! Who watches a run: the command line, a test, or nobody.

use vlpt_clip::Progress;

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

/// Watches a run. Phases come through [`Progress`]; everything else has a default that ignores it.
/// `()` is silence.
pub trait Observer: Progress {
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

    /// Something the user should know that is no error.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// Asked after every step: `true` writes a checkpoint and ends with
    /// [`TrainError::Stopped`](crate::TrainError::Stopped).
    fn should_stop(&self) -> bool {
        false
    }
}

impl Observer for () {}
