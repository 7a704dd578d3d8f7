//! One attempt at a job.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::executor::{Executor, JobContext};
use crate::job::Job;
use crate::result::Outcome;

/// Runs the work; a panic in it is a failure like any other.
pub(super) fn attempt(
    executor: &dyn Executor,
    job: &Job,
    context: &JobContext<'_>,
) -> std::result::Result<Outcome, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| executor.run(job, context)))
        .map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            format!(
                "panicked: {}",
                text.unwrap_or_else(|| "no message".to_owned())
            )
        })?
        .map_err(|error| message(&*error))?;
    outcome.check(job)?;
    Ok(outcome)
}

/// An error with its causes.
fn message(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
