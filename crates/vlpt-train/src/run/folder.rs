//! The run folder: that it is free, and whose it is.

use std::path::Path;

use super::CONFIG;
use crate::{Result, RunConfig, TrainError, read_resolved};

/// Refuses a folder that holds a run.
pub(super) fn refuse_existing(dir: &Path) -> Result<()> {
    if dir.join(CONFIG).exists() {
        return Err(TrainError::RunExists {
            dir: dir.to_owned(),
        });
    }
    Ok(())
}

/// Whether a run may go on to more epochs than it was started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Longer {
    /// It may.
    Allowed,
    /// Another number is another run.
    Refused,
}

/// The configuration in a run folder, with the thread count and checkpoint pace of `given`; where
/// `given` has more epochs and may, with those, and the number that the run had before.
pub(super) fn stored_config(
    given: Option<&RunConfig>,
    longer: Longer,
    dir: &Path,
) -> Result<(RunConfig, Option<usize>)> {
    let path = dir.join(CONFIG);
    if !path.exists() {
        return Err(TrainError::NoRun {
            dir: dir.to_owned(),
        });
    }
    let mut stored = read_resolved(&path)?;
    let mut before = None;
    if let Some(given) = given {
        let by_epochs = given.steps().is_none() && stored.steps().is_none();
        if longer == Longer::Allowed && by_epochs && given.epochs() > stored.epochs() {
            before = Some(stored.epochs());
            stored.train.epochs = given.train.epochs;
        }
        if let Some((key, stored, given)) = stored.difference(given) {
            return Err(TrainError::ConfigChanged {
                dir: dir.to_owned(),
                key,
                stored,
                given,
            });
        }
        // What is left open has been decided when the run began.
        let precision = stored.compute.precision;
        stored.compute = given.compute.clone();
        stored.compute.precision = precision;
    }
    Ok((stored, before))
}

/// Refuses a model or data other than those of the checkpoint.
pub(super) fn same_input(dir: &Path, what: &'static str, stored: &str, found: &str) -> Result<()> {
    if stored == found {
        return Ok(());
    }
    let short = |text: &str| text.chars().take(12).collect();
    let (stored, found) = (short(stored), short(found));
    Err(TrainError::InputChanged {
        dir: dir.to_owned(),
        what,
        stored,
        found,
    })
}
