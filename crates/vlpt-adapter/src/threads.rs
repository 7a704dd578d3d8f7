//! How many threads work.

use crate::{AdapterError, Result};

/// Runs `work` inside a pool of so many threads; 0: inside the pool of the caller, or the program's
/// where it is called from outside any. Results do not depend on it.
///
/// All of `work` runs on a thread of the pool, so that what it computes in parallel does not wait
/// for a pool to wake up, call by call.
///
/// # Errors
/// The threads could not be started.
pub fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let inside = rayon::current_thread_index().is_some();
    if threads == 0 || (inside && threads == rayon::current_num_threads()) {
        // in the pool it is called in, or else in the global one
        return Ok(rayon::scope(|_| work()));
    }
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| AdapterError::Threads {
        threads,
        what: error.to_string(),
    })?;
    Ok(pool.install(work))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Threads of the pool that the work is in.
    fn threads() -> usize {
        assert!(rayon::current_thread_index().is_some(), "outside any pool");
        rayon::current_num_threads()
    }

    #[test]
    fn work_runs_in_the_pool_asked_for() {
        assert_eq!(with_threads(3, threads).unwrap(), 3);
        let nested = |count| with_threads(3, || with_threads(count, threads).unwrap()).unwrap();
        assert_eq!([nested(0), nested(3), nested(2)], [3, 3, 2]);
        assert_eq!(
            with_threads(0, threads).unwrap(),
            rayon::current_num_threads()
        );
    }
}
