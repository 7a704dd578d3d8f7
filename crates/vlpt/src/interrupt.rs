//! Ctrl-C, SIGTERM and the warnings of schedulers (SIGUSR1 and SIGUSR2, as Slurm sends them).
//!
//! A run that takes steps ends after the one it is at, with a checkpoint; everything else, and a
//! second signal, ends at once. Whatever is written is whole or absent at any moment, so ending at
//! once loses time and nothing else. Both say the command that goes on.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use vlpt_base::shell;
use vlpt_train::TrainError;
use vlpt_tune::TuneError;

use crate::error::{CliError, code};
use crate::invocation;

/// The signal that came first; 0 for none.
static ASKED: AtomicI32 = AtomicI32::new(0);
/// Whether what runs was asked to end at its next step.
static STOP: AtomicBool = AtomicBool::new(false);
/// How much work goes on that ends by itself when asked.
static GENTLE: AtomicUsize = AtomicUsize::new(0);
/// How to go on.
static NEXT: Mutex<Option<Next>> = Mutex::new(None);

struct Next {
    command: String,
    /// Without this file nothing was begun.
    mark: Option<PathBuf>,
}

/// Listens for signals on a thread of its own. `json`: what is said is one JSON document.
pub(crate) fn listen(json: bool) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
        let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGUSR1, SIGUSR2])?;
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || signals.forever().for_each(|signal| heard(signal, json)))?;
    }
    #[cfg(not(unix))]
    let _ = json;
    Ok(())
}

#[cfg(unix)]
fn heard(signal: i32, json: bool) {
    let first = ASKED
        .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst)
        .is_ok();
    if first && GENTLE.load(Ordering::SeqCst) > 0 {
        STOP.store(true, Ordering::SeqCst);
        return;
    }
    let error = CliError::Interrupted {
        signal,
        what: "stopped".to_owned(),
        next: next(),
    };
    if matches!(&error, CliError::Interrupted { next: Some(_), .. }) || json {
        use std::io::Write;
        // nothing is lost where nobody reads it
        let _ = writeln!(std::io::stderr().lock(), "{}", error.render(json));
    }
    signal_hook::low_level::exit(code::of_signal(signal).into());
}

/// Remembers how a run in a folder goes on.
pub(crate) fn run_goes_on(dir: &std::path::Path) {
    remember(Next {
        command: shell::resume_run(dir),
        mark: Some(dir.join("config.toml")),
    });
}

/// Remembers that the command goes on when it is given again.
pub(crate) fn goes_on_when_given_again() {
    remember(Next {
        command: invocation::command(),
        mark: None,
    });
}

fn remember(next: Next) {
    if let Ok(mut place) = NEXT.lock() {
        *place = Some(next);
    }
}

fn next() -> Option<String> {
    let place = NEXT.lock().ok()?;
    let next = place.as_ref()?;
    let begun = next.mark.as_ref().is_none_or(|mark| mark.exists());
    begun.then(|| next.command.clone())
}

/// Whether a signal asked what runs to end.
pub(crate) fn stop() -> &'static AtomicBool {
    &STOP
}

/// Work that ends by itself when asked, as long as this lives.
#[derive(Debug)]
pub(crate) struct Gently(());

impl Gently {
    pub(crate) fn begin() -> Self {
        GENTLE.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Gently {
    fn drop(&mut self) {
        GENTLE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The end that a signal asked for, said as such.
pub(crate) fn explain(error: CliError) -> CliError {
    let signal = ASKED.load(Ordering::SeqCst);
    let what = match &error {
        _ if signal == 0 => return error,
        CliError::Train(TrainError::Stopped { epochs, .. }) => {
            let plural = if *epochs == 1 { "" } else { "s" };
            format!("stopped after {epochs} whole epoch{plural}")
        }
        CliError::Tune(TuneError::Stopped) => "stopped; nothing was written".to_owned(),
        CliError::Unfinished { message, .. } => format!("stopped: {message}"),
        _ => return error,
    };
    CliError::Interrupted {
        signal,
        what,
        next: next(),
    }
}
