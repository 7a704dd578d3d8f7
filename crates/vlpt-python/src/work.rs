//! Long calls: computed in a pool while the thread that called answers signals and tells of progress.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use pyo3::prelude::*;
use vlpt_clip::{Observer, Progress};
use vlpt_train::TrainObserver;
use vlpt_tune::{Tried, TuneObserver};

use crate::errors::Failure;
use crate::pools::{Busy, pool};

/// How soon a signal is heard while nothing is told.
const PULSE: Duration = Duration::from_millis(50);

/// What the work tells whoever called.
pub(crate) enum Told {
    Start(String, u64),
    Advance(u64),
    Finish,
    Note(String),
    Warning(String),
    Tried(Box<Tried>),
    Done,
}

/// The work's side of the line: an observer for everything below.
pub(crate) struct Watch<'a> {
    to: Sender<Told>,
    stop: &'a AtomicBool,
    /// Whether the work ends by itself when asked; else it is ended where it tells of progress.
    gentle: AtomicBool,
}

/// What unwinds work that is ended.
struct Ended;

impl Watch<'_> {
    fn tell(&self, told: Told) {
        // who listens no longer has gone away with an exception
        let _ = self.to.send(told);
    }

    /// Tells of what could mislead.
    pub(crate) fn warn(&self, text: String) {
        self.tell(Told::Warning(text));
    }

    /// Ends the work where the caller has asked for it.
    ///
    /// # Errors
    /// [`Failure::Stopped`].
    pub(crate) fn go_on(&self) -> Result<(), Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::Stopped);
        }
        Ok(())
    }
}

impl Progress for Watch<'_> {
    fn start(&self, what: &str, total: u64) {
        self.tell(Told::Start(what.to_owned(), total));
    }

    fn advance(&self, by: u64) {
        if self.stop.load(Ordering::Relaxed) && !self.gentle.load(Ordering::Relaxed) {
            // What is written is whole or absent at any moment, so what goes on can be left anywhere; the
            // command line ends the process in its place.
            resume_unwind(Box::new(Ended));
        }
        self.tell(Told::Advance(by));
    }

    fn finish(&self) {
        self.tell(Told::Finish);
    }
}

impl Observer for Watch<'_> {
    fn note(&self, text: &str) {
        self.tell(Told::Note(text.to_owned()));
    }

    fn should_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl TrainObserver for Watch<'_> {}

impl TuneObserver for Watch<'_> {
    fn searching(&self) {
        self.gentle.store(true, Ordering::Relaxed);
    }

    fn tried(&self, tried: &Tried) {
        self.tell(Told::Tried(Box::new(tried.clone())));
    }
}

/// Does `work` in a pool of so many threads, without the interpreter. `reporter` is an object with the methods
/// of `vlpt._progress.Reporter`.
///
/// # Errors
/// The work's own; what a signal's handler or the reporter raised, once the work has ended.
pub(crate) fn run<T: Send>(
    reporter: &Bound<'_, PyAny>,
    threads: usize,
    work: impl FnOnce(&Watch) -> Result<T, Failure> + Send,
) -> PyResult<T> {
    let py = reporter.py();
    let pool = pool(threads).map_err(|failure| failure.raise(py))?;
    let reporter = reporter.clone().unbind();
    let (to, from) = channel();
    let stop = AtomicBool::new(false);
    let watch = Watch {
        to,
        stop: &stop,
        gentle: AtomicBool::new(false),
    };
    let outcome = Mutex::new(None);
    let (line, kept) = (&watch, &outcome);
    let raised = py.detach(move || {
        let _busy = Busy::begin();
        pool.in_place_scope(|scope| {
            scope.spawn(move |_| {
                let done = catch_unwind(AssertUnwindSafe(|| work(line)));
                if let Ok(mut kept) = kept.lock() {
                    *kept = Some(done);
                }
                line.tell(Told::Done);
            });
            listen(&from, &reporter, line.stop)
        })
    });
    if let Some(raised) = raised {
        return Err(raised);
    }
    match outcome.into_inner().ok().flatten() {
        Some(Ok(outcome)) => outcome.map_err(|failure| failure.raise(py)),
        Some(Err(panic)) if panic.is::<Ended>() => Err(Failure::Stopped.raise(py)),
        Some(Err(panic)) => Err(fault(panic.as_ref()).raise(py)),
        None => Err(fault(&"the work went away").raise(py)),
    }
}

/// Answers until the work is done, and returns what was raised meanwhile.
fn listen(from: &Receiver<Told>, reporter: &Py<PyAny>, stop: &AtomicBool) -> Option<PyErr> {
    let mut raised = None;
    loop {
        let told = match from.recv_timeout(PULSE) {
            Ok(Told::Done) | Err(RecvTimeoutError::Disconnected) => return raised,
            Ok(told) => Some(told),
            Err(RecvTimeoutError::Timeout) => None,
        };
        if raised.is_some() {
            continue;
        }
        let answered = Python::attach(|py| {
            py.check_signals()?;
            told.map_or(Ok(()), |told| report(reporter.bind(py), told))
        });
        if let Err(error) = answered {
            stop.store(true, Ordering::Relaxed);
            raised = Some(error);
        }
    }
}

fn report(reporter: &Bound<'_, PyAny>, told: Told) -> PyResult<()> {
    match told {
        Told::Start(what, total) => reporter.call_method1("start", (what, total)),
        Told::Advance(by) => reporter.call_method1("advance", (by,)),
        Told::Finish => reporter.call_method0("finish"),
        Told::Note(text) => reporter.call_method1("note", (text,)),
        Told::Warning(text) => reporter.call_method1("warn", (text,)),
        Told::Tried(tried) => {
            let Tried {
                method,
                share,
                left_out,
                seconds,
                ..
            } = *tried;
            reporter.call_method1("tried", (method, share, left_out, seconds))
        }
        Told::Done => return Ok(()),
    }
    .map(drop)
}

/// A panic: a fault of the program, never of whoever uses it.
fn fault(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::runtime(
        format!("a fault of vlpt itself: {}", text.unwrap_or_default()),
        "this is a mistake in vlpt; please report it with what you did",
    )
}
