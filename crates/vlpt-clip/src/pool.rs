//! Work inside the pool of threads.

/// Runs `work` on a thread of the current pool: a pass through a tower shares its work out dozens
/// of times a block, and from a thread of the pool's own that takes a fraction of the time that
/// waking the pool from outside takes.
pub(crate) fn inside<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    rayon::scope(|_| work())
}
