//! What is said while a search goes on.

use std::sync::Mutex;

use vlpt_clip::{Observer, Progress};
use vlpt_report::percent;
use vlpt_train::{Event, StepReport, TrainObserver};
use vlpt_tune::{Tried, TuneObserver, spoken};

use crate::console::Console;
use crate::interrupt::Gently;
use crate::watch::Watch;

/// Draws what a run reports, says what was tried, and lets a signal end the search softly.
pub(super) struct TuneWatch<'a> {
    console: &'a Console,
    inner: Watch<'a>,
    softly: Mutex<Option<Gently>>,
}

impl<'a> TuneWatch<'a> {
    pub(super) fn new(console: &'a Console) -> Self {
        Self {
            console,
            inner: Watch::new(console),
            softly: Mutex::default(),
        }
    }
}

impl Progress for TuneWatch<'_> {
    fn start(&self, what: &str, total: u64) {
        self.inner.start(what, total);
    }
    fn advance(&self, by: u64) {
        self.inner.advance(by);
    }
    fn finish(&self) {
        self.inner.finish();
    }
}

impl Observer for TuneWatch<'_> {
    fn note(&self, text: &str) {
        self.inner.note(text);
    }
    fn should_stop(&self) -> bool {
        self.inner.should_stop()
    }
}

impl TrainObserver for TuneWatch<'_> {
    fn event(&self, event: &Event) {
        self.inner.event(event);
    }
    fn step(&self, step: &StepReport) {
        self.inner.step(step);
    }
}

impl TuneObserver for TuneWatch<'_> {
    fn searching(&self) {
        if let Ok(mut softly) = self.softly.lock() {
            *softly = Some(Gently::begin());
        }
    }

    fn tried(&self, tried: &Tried) {
        let seconds = spoken(std::time::Duration::from_secs_f64(tried.seconds));
        let what = match (&tried.share, &tried.left_out) {
            (Some(share), _) => format!("{} of held-out photos, {seconds}", percent(*share)),
            (None, Some(why)) => format!("left out: {why}"),
            (None, None) => seconds,
        };
        self.console.say(format!("{:<14} {what}", tried.method));
    }
}
