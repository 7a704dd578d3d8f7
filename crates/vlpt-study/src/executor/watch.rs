//! The wish that a study should stop, on its way to who computes.

use vlpt_clip::Observer;
use vlpt_clip::Progress;

use super::context::{ExecutorError, JobContext};

/// An error where the study is asked to stop.
pub(super) fn stop(context: &JobContext<'_>) -> Result<(), ExecutorError> {
    if context.stopped() {
        return Err("the study was asked to stop".into());
    }
    Ok(())
}

/// Watches silently, and passes on that the study should stop.
pub(super) struct Watch<'a>(pub(super) &'a JobContext<'a>);

impl Progress for Watch<'_> {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

impl vlpt_train::TrainObserver for Watch<'_> {}

impl Observer for Watch<'_> {
    fn should_stop(&self) -> bool {
        self.0.stopped()
    }
}
