//! A limit on address space under which nothing can be done is told at the start.
//!
//! An allocation of a few bytes that fails is no error that can be told: the standard library ends the
//! process. So what every command takes is compared with the limit (`ulimit -v`, `RLIMIT_AS`) before
//! any work. Where a large model or image does not fit into what is left, that is told where it is read.

use std::num::NonZeroUsize;

use super::pool::threads_of;
use crate::error::CliError;

/// What a command takes with one thread: the program, the small model and its work.
const LEAST_MIB: u64 = 256;
/// What each further thread takes: its stack, and the region that the C library's allocator reserves.
const THREAD_MIB: u64 = 80;
/// Where Linux lists the limits of a process.
const LIMITS: &str = "/proc/self/limits";
/// The limit's name there.
const NAME: &str = "Max address space";

/// Refuses to begin with less address space than any command takes.
///
/// # Errors
/// There is a limit and it is lower.
pub(crate) fn check_address_space(threads: Option<NonZeroUsize>) -> Result<(), CliError> {
    let Some(limit) = fs_err::read_to_string(LIMITS)
        .ok()
        .as_deref()
        .and_then(limit)
    else {
        return Ok(());
    };
    let threads = threads_of(threads);
    let (found, needed) = (limit >> 20, needed_mib(threads));
    if found >= needed {
        return Ok(());
    }
    let fewer = if threads > 1 {
        format!("; with --threads 1 {} MiB are enough", needed_mib(1))
    } else {
        String::new()
    };
    Err(CliError::usage(
        format!(
            "{found} MiB of address space: expected at least {needed} MiB with --threads {threads}"
        ),
        format!(
            "raise the limit, with `ulimit -v {}` or none{fewer}",
            needed * 1024
        ),
    ))
}

fn needed_mib(threads: usize) -> u64 {
    LEAST_MIB + THREAD_MIB * (threads.max(1) as u64 - 1)
}

/// The limit in bytes that now holds; `None` where there is none.
fn limit(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(NAME))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_holds_now_is_read() {
        let text = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max processes             95967                95967                processes\n\
                 Max address space         {soft:<20} unlimited            bytes\n"
            )
        };
        assert_eq!(limit(&text("262144000")), Some(262_144_000));
        assert_eq!(limit(&text("unlimited")), None);
        assert_eq!(limit(""), None);
    }

    #[test]
    fn threads_take_more() {
        assert_eq!(needed_mib(1), LEAST_MIB);
        assert!(needed_mib(4) > needed_mib(2));
    }
}
