//! How many threads work.

use crate::{Result, TrainError};

/// Runs `work` on so many threads; 0: one for each processor core. Results do not depend on it.
///
/// # Errors
/// The threads could not be started.
pub fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| TrainError::Threads {
        threads,
        what: error.to_string(),
    })?;
    Ok(pool.install(work))
}
