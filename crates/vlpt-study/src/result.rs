//! What a job gave, or why it failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vlpt_base::files::{read_if_there, remove_if_there, write_atomic};

use crate::canonical::canonical;
use crate::folder::Folder;
use crate::job::{Job, JobId};
use crate::{Result, StudyError};

/// What a job gave. Nothing in it may depend on when, where or how fast it was done.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The score of each task the job is evaluated on: its main metric as a fraction.
    pub scores: BTreeMap<String, f64>,
    /// Whatever else is worth keeping: other metrics, hashes of prompts, epochs.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub details: Value,
}

/// A job that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What went wrong.
    pub message: String,
    /// How many times it was tried.
    pub attempts: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: JobId,
    #[serde(rename = "unit")]
    job: Value,
    outcome: Outcome,
}

impl Outcome {
    /// Whether there is one finite score for each task of the job, and no other.
    pub(crate) fn check(&self, job: &Job) -> std::result::Result<(), String> {
        let expected: Vec<_> = job.evaluate_on.iter().map(|task| &task.name).collect();
        for task in &expected {
            match self.scores.get(*task) {
                Some(score) if score.is_finite() => {}
                Some(score) => return Err(format!("score of \"{task}\": found {score}")),
                None => return Err(format!("no score for \"{task}\"")),
            }
        }
        match self.scores.keys().find(|task| !expected.contains(task)) {
            Some(task) => Err(format!(
                "a score for \"{task}\", which the job does not have"
            )),
            None => Ok(()),
        }
    }
}

/// Whether a job has a result. Opened and not only looked up, so that a network file system asks
/// its server.
pub(crate) fn is_done(folder: &Folder, id: &JobId) -> Result<bool> {
    match fs_err::File::open(folder.result(id)) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// The result of a job, if there is one.
///
/// # Errors
/// A damaged file.
pub fn read_outcome(folder: &Folder, job: &Job, id: &JobId) -> Result<Option<Outcome>> {
    let path = folder.result(id);
    let Some(bytes) = read_if_there(&path)? else {
        return Ok(None);
    };
    let damaged = |what: String| StudyError::Damaged {
        path: path.clone(),
        what,
    };
    let stored: Stored = serde_json::from_slice(&bytes).map_err(|e| damaged(e.to_string()))?;
    if stored.id != *id {
        return Err(damaged(format!(
            "found the result of {}",
            stored.id.short()
        )));
    }
    stored.outcome.check(job).map_err(damaged)?;
    Ok(Some(stored.outcome))
}

/// Files a result: the same outcome gives the same bytes. An older failure is forgotten.
pub(crate) fn write_outcome(
    folder: &Folder,
    job: &Job,
    id: &JobId,
    outcome: Outcome,
) -> Result<()> {
    let stored = Stored {
        id: id.clone(),
        job: job.to_value(),
        outcome,
    };
    let value = serde_json::to_value(stored).expect("string keys only");
    write_atomic(&folder.result(id), (canonical(&value) + "\n").as_bytes())?;
    Ok(remove_if_there(&folder.failure(id))?)
}

/// Why a job failed, if it did.
///
/// # Errors
/// A damaged file.
pub fn read_failure(folder: &Folder, id: &JobId) -> Result<Option<Failure>> {
    let path = folder.failure(id);
    let Some(bytes) = read_if_there(&path)? else {
        return Ok(None);
    };
    let failure = serde_json::from_slice(&bytes).map_err(|error| StudyError::Damaged {
        path,
        what: error.to_string(),
    })?;
    Ok(Some(failure))
}

/// Files a failure, and counts it.
pub(crate) fn write_failure(folder: &Folder, id: &JobId, message: &str) -> Result<Failure> {
    let before = read_failure(folder, id)?.map_or(0, |failure| failure.attempts);
    let failure = Failure {
        message: message.to_owned(),
        attempts: before.saturating_add(1),
    };
    let value = serde_json::to_value(&failure).expect("string keys only");
    write_atomic(&folder.failure(id), (canonical(&value) + "\n").as_bytes())?;
    Ok(failure)
}
