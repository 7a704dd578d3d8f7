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
