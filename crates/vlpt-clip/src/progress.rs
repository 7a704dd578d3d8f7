//! How long work tells that it goes on.

/// Receives the progress of something that takes long. `()` is silence.
pub trait Progress: Send + Sync {
    /// Work named `what` begins; `total` is in its own units (bytes for a download).
    fn start(&self, what: &str, total: u64);
    /// `by` more units are done.
    fn advance(&self, by: u64);
    /// The work started last has ended, well or badly.
    fn finish(&self);
}

impl Progress for () {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _by: u64) {}
    fn finish(&self) {}
}

/// Watches long work. Phases come through [`Progress`]; everything else has a default that ignores
/// it. `()` is silence.
pub trait Observer: Progress {
    /// Something the user should know that is no error.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// Asked between steps: `true` ends the work as soon as nothing is lost by it.
    fn should_stop(&self) -> bool {
        false
    }
}

impl Observer for () {}
