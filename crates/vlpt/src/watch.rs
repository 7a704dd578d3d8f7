//! The trainer's observer: a bar for each phase, notes on standard error.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use vlpt_clip::Observer;
use vlpt_clip::Progress;
use vlpt_train::{Event, StepReport, TrainObserver};

use crate::console::{Bar, Console, Unit};
use crate::interrupt::{self, Gently};

/// Draws what a run reports.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    console: &'a Console,
    bar: Bar,
    /// While a run takes steps, it ends by itself after the one it is at.
    steps: Mutex<Option<Gently>>,
}

impl<'a> Watch<'a> {
    /// An observer that talks to `console`.
    pub(crate) fn new(console: &'a Console) -> Self {
        Self {
            console,
            bar: console.bar(Unit::Items),
            steps: Mutex::default(),
        }
    }
}

impl Progress for Watch<'_> {
    fn start(&self, what: &str, total: u64) {
        self.bar.begin(what, total);
    }
    fn advance(&self, by: u64) {
        self.bar.advance_by(by);
    }
    fn finish(&self) {
        self.bar.end();
        if let Ok(mut steps) = self.steps.lock() {
            *steps = None;
        }
    }
}

impl Observer for Watch<'_> {
    fn note(&self, text: &str) {
        self.console.say(format!("note: {text}"));
    }

    fn should_stop(&self) -> bool {
        interrupt::stop().load(Ordering::SeqCst)
    }
}

impl TrainObserver for Watch<'_> {
    fn step(&self, _: &StepReport) {
        if let Ok(mut steps) = self.steps.lock() {
            steps.get_or_insert_with(Gently::begin);
        }
    }

    fn event(&self, event: &Event) {
        match event {
            Event::Start(start) => {
                let how = match start.epochs {
                    0 => String::new(),
                    1 => " in 1 epoch".to_owned(),
                    epochs => format!(" in {epochs} epochs"),
                };
                self.console.say(format!(
                    "{}: {} classes, {} images to train on; {} learns {} numbers{how}",
                    start.task, start.classes, start.train_images, start.method, start.parameters,
                ));
            }
            Event::Epoch(epoch) => self.bar.note(&format!("training, loss {:.3}", epoch.loss)),
            Event::Step(_) | Event::End(_) => {}
        }
    }
}
