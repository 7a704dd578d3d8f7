//! The trainer's observer: bars for phases, a bar for epochs, notes on standard error.

use std::sync::atomic::{AtomicBool, Ordering};

use vlpt_clip::Progress;
use vlpt_train::{Event, Observer};

use crate::console::{Bar, Console, Unit};

/// Draws what a run reports.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    console: &'a Console,
    phases: Bar,
    epochs: Bar,
    training: AtomicBool,
}

impl<'a> Watch<'a> {
    /// An observer that talks to `console`.
    pub(crate) fn new(console: &'a Console) -> Self {
        let (phases, epochs) = (console.bar(Unit::Items), console.bar(Unit::Items));
        Self {
            console,
            phases,
            epochs,
            training: AtomicBool::new(false),
        }
    }
}

impl Progress for Watch<'_> {
    fn start(&self, what: &str, total: u64) {
        // The epochs have the line while they run.
        if !self.training.load(Ordering::Relaxed) {
            self.phases.begin(what, total);
        }
    }
    fn advance(&self, by: u64) {
        self.phases.advance_by(by);
    }
    fn finish(&self) {
        self.phases.end();
    }
}

impl Observer for Watch<'_> {
    fn event(&self, event: &Event) {
        match event {
            Event::Start(start) => {
                self.console.say(format!(
                    "{}: {} classes, {} images to train on, {} to validate; {} learns {} numbers in {} epochs",
                    start.task,
                    start.classes,
                    start.train_images,
                    start.val_images,
                    start.method,
                    start.parameters,
                    start.epochs
                ));
                self.training.store(true, Ordering::Relaxed);
                self.epochs.begin("training", start.epochs as u64);
            }
            Event::Epoch(epoch) => {
                self.epochs
                    .note(&format!("training, loss {:.3}", epoch.loss));
                self.epochs.advance_by(1);
            }
            Event::End(_) => {
                self.epochs.end();
                self.training.store(false, Ordering::Relaxed);
            }
        }
    }

    fn note(&self, text: &str) {
        self.console.say(format!("note: {text}"));
    }
}
