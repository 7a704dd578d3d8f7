//! A run that goes on to more epochs than it was started for.

use std::path::Path;

use fs_err as fs;
use vlpt_clip::Clip;
use vlpt_methods::Build;

use super::EVENTS;
use crate::checkpoint::Position;
use crate::{Result, RunConfig, ScheduleName, TrainError, TrainObserver, TrainingData};

/// Refuses a longer run that cannot be, and says what differs from a run of that length.
///
/// # Errors
/// A baseline, which has no epochs, or a method whose result depends on their number from the first.
pub(super) fn check(
    config: &RunConfig,
    before: usize,
    (clip, data): (&Clip, &TrainingData),
    observer: &dyn TrainObserver,
) -> Result<()> {
    let epochs = config.epochs();
    let refused = |why: String| TrainError::Incompatible {
        what: format!("the run cannot go on from {before} to {epochs} epochs: {why}"),
        hint: Some(format!(
            "leave --epochs out, or start a new run with --epochs {epochs} --out FOLDER"
        )),
    };
    if config.method.is_baseline() {
        return Err(refused(format!("{} is fitted at once", config.method)));
    }
    let method = config.method.build(&Build {
        clip,
        classes: data.task.classes.len(),
        seed: config.seed,
    })?;
    if !method.stages().is_empty() {
        return Err(refused(format!(
            "{} has stages that share the length of a run",
            config.method
        )));
    }
    if method.average_weight(1, epochs).is_some() {
        return Err(refused(format!(
            "{} ends with an average over all epochs, whose weights depend on their number",
            config.method
        )));
    }
    if config.train.schedule == ScheduleName::Cosine {
        observer.note(&format!(
            "the learning rate falls over all epochs: those before had the rates of a run of \
             {before}, the others have those of a run of {epochs}, so the result is not that of a \
             run of {epochs} from the start"
        ));
    }
    Ok(())
}

/// A finished run's position as if its last epoch had just ended, where the configuration has more.
/// The end of the event log is cut off.
///
/// # Errors
/// The log cannot be read, or has no end.
pub(super) fn reopen(dir: &Path, position: &mut Position) -> Result<()> {
    let path = dir.join(EVENTS);
    let bytes = fs::read(&path)?;
    let length = usize::try_from(position.events).unwrap_or(usize::MAX);
    let log = bytes.get(..length).and_then(|log| log.strip_suffix(b"\n"));
    let log = log.ok_or_else(|| TrainError::Damaged {
        path,
        what: format!(
            "has {} bytes: expected whole lines in {length}",
            bytes.len()
        ),
    })?;
    let end = log
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    position.events = end as u64;
    position.finished = false;
    Ok(())
}
