//! The pool of threads and the kernels that all work runs in.

use std::num::NonZeroUsize;

use vlpt_kernels::{ISA_VARIABLE, Isa};

use crate::error::CliError;

/// Stack of each thread: what a main thread has.
const STACK: usize = 8 << 20;

/// Runs `work` in the pool that all kernels run in, with so many threads, or one for each core. A
/// command begins inside the pool, so that none of its calls has to wake the pool up from outside.
pub(crate) fn in_pool<T: Send>(
    threads: Option<NonZeroUsize>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, CliError> {
    start_pool(threads)?;
    Ok(rayon::scope(|_| work()))
}

/// Starts that pool, and leaves all of its threads to others than the caller.
pub(crate) fn start_pool(threads: Option<NonZeroUsize>) -> Result<(), CliError> {
    let named = threads.map_or("the".to_owned(), |threads| threads.to_string());
    let threads = threads.map_or(0, NonZeroUsize::get);
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .build_global()
        .map_err(|e| CliError::failure(format!("cannot start {named} threads: {e}")))
}

/// Refuses more threads than can do any good: each takes memory and time to start, and they would
/// only wait for each other.
pub(crate) fn check_threads(threads: Option<NonZeroUsize>) -> Result<(), CliError> {
    let (cores, threads) = (cores(), threads_of(threads));
    let most = (4 * cores).max(64);
    if threads > most {
        return Err(CliError::usage(
            format!("{threads} threads: expected at most {most}, for {cores} cores"),
            "give --threads (VLPT_THREADS, RAYON_NUM_THREADS) the number of cores, or leave it out",
        ));
    }
    Ok(())
}

/// The number of threads that the pool will have.
pub(super) fn threads_of(threads: Option<NonZeroUsize>) -> usize {
    // what the pool takes where nothing else is said; 0 is one for each core
    let usual = || std::env::var("RAYON_NUM_THREADS").ok()?.parse().ok();
    let named = threads.map(NonZeroUsize::get).or_else(usual);
    named.filter(|&threads| threads > 0).unwrap_or_else(cores)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// Refuses kernels that there are not, by name.
pub(crate) fn check_kernels() -> Result<(), CliError> {
    let Err(message) = Isa::requested() else {
        return Ok(());
    };
    let there: Vec<String> = Isa::available().iter().map(Isa::to_string).collect();
    Err(CliError::usage(
        message,
        format!(
            "this processor has {}; unset {ISA_VARIABLE} to use the last of them",
            there.join(", ")
        ),
    ))
}
