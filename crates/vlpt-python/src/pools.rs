//! Pools of threads that calls compute in, one for each number of threads that was asked for.
//!
//! Threads do not survive a fork, which `multiprocessing` may do on Linux. A process that was forked starts
//! its own; one that was forked in the middle of a call may hold locks that nobody will ever open, and is
//! refused instead of left waiting.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use vlpt_clip::Isa;

use crate::errors::Failure;

/// Stack of each thread: what a main thread has.
const STACK: usize = 8 << 20;

static POOLS: Mutex<Pools> = Mutex::new(Pools {
    process: 0,
    of: BTreeMap::new(),
});
/// Calls at work.
static BUSY: AtomicUsize = AtomicUsize::new(0);

struct Pools {
    /// The process that the threads belong to; 0: none yet.
    process: u32,
    of: BTreeMap<usize, Arc<ThreadPool>>,
}

/// A call at work, as long as this lives.
pub(crate) struct Busy(());

impl Busy {
    pub(crate) fn begin() -> Self {
        BUSY.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The pool of so many threads. Whoever calls holds the interpreter, so that no other thread is in here
/// when Python forks.
///
/// # Errors
/// Threads that cannot be started, kernels that there are not, or a process that was forked in the middle of a
/// call.
pub(crate) fn pool(threads: usize) -> Result<Arc<ThreadPool>, Failure> {
    let mut pools = match POOLS.lock() {
        Ok(pools) => pools,
        // a whole entry is all that is ever written
        Err(poisoned) => poisoned.into_inner(),
    };
    let process = std::process::id();
    if pools.process != process {
        if pools.process == 0 {
            check_kernels()?;
        } else if BUSY.load(Ordering::SeqCst) > 0 {
            return Err(Failure::runtime(
                "this process was forked while another thread was inside a call of vlpt, whose threads and locks a \
                 fork does not bring along",
                "fork before such calls, or start processes with multiprocessing.get_context(\"spawn\")",
            ));
        }
        // their threads are those of the other process: to end them would be to wait for them
        std::mem::forget(std::mem::take(&mut pools.of));
        pools.process = process;
    }
    if let Some(pool) = pools.of.get(&threads) {
        return Ok(Arc::clone(pool));
    }
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .stack_size(STACK)
        .thread_name(|number| format!("vlpt-{number}"))
        .build()
        .map_err(|error| {
            Failure::runtime(
                format!("cannot start {threads} threads: {error}"),
                "ask for fewer with threads=",
            )
        })?;
    let pool = Arc::new(pool);
    pools.of.insert(threads, Arc::clone(&pool));
    Ok(pool)
}

/// Number of threads for a call: as given, or as `VLPT_THREADS` or `RAYON_NUM_THREADS` says, or one for each
/// core.
///
/// # Errors
/// More than can do any good, or a variable that is no number.
#[pyfunction]
#[pyo3(signature = (threads=None))]
pub(crate) fn thread_count(py: Python<'_>, threads: Option<usize>) -> PyResult<usize> {
    count(threads).map_err(|failure| failure.raise(py))
}

fn count(threads: Option<usize>) -> Result<usize, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let named = match threads {
        Some(threads) => Some(("threads", threads)),
        None => match variable("VLPT_THREADS")? {
            Some(threads) => Some(("VLPT_THREADS", threads)),
            None => variable("RAYON_NUM_THREADS")?.map(|threads| ("RAYON_NUM_THREADS", threads)),
        },
    };
    let most = (4 * cores).max(64);
    match named {
        None | Some(("RAYON_NUM_THREADS", 0)) => Ok(cores),
        Some((_, threads)) if (1..=most).contains(&threads) => Ok(threads),
        Some((name, threads)) => Err(Failure::value(
            format!("{name}={threads}: expected 1 to {most}, for {cores} cores"),
            "give the number of cores, or leave it out",
        )),
    }
}

fn variable(name: &str) -> Result<Option<usize>, Failure> {
    let Ok(text) = std::env::var(name) else {
        return Ok(None);
    };
    if text.trim().is_empty() {
        return Ok(None);
    }
    match text.trim().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(Failure::value(
            format!("{name}={text}: expected a number of threads"),
            format!("give {name} a number, or leave it out"),
        )),
    }
}

/// Refuses kernels that there are not, by name.
fn check_kernels() -> Result<(), Failure> {
    let Err(message) = Isa::requested() else {
        return Ok(());
    };
    let there: Vec<String> = Isa::available().iter().map(Isa::to_string).collect();
    Err(Failure::value(
        message,
        format!(
            "this processor has {}; unset the variable to use the last of them",
            there.join(", ")
        ),
    ))
}
