//! What a job trains: its run's configuration and the prompt it starts from.

use std::path::{Path, PathBuf};

use fs_err as fs;
use vlpt_adapter::average_prompts;
use vlpt_base::hash::sha256;
use vlpt_clip::Clip;

use super::context::{ExecutorError, JobContext};
use crate::job::{Job, JobId};

/// The run folder in a job's own folder.
pub(super) const RUN: &str = "run";

/// The prompt that a job starts from: its source's, or the mean of several.
pub(super) fn start_of(
    job: &Job,
    clip: &Clip,
    context: &JobContext<'_>,
) -> Result<Option<PathBuf>, ExecutorError> {
    let Some(source) = &job.start_from else {
        return Ok(None);
    };
    let runs: Vec<PathBuf> = source
        .jobs
        .iter()
        .map(|id| context.of(id).join(RUN))
        .collect();
    if let [one] = &runs[..] {
        // One spelling, however the study's folder is named next time.
        return Ok(Some(fs::canonicalize(one)?));
    }
    let ids: Vec<&str> = source.jobs.iter().map(JobId::as_str).collect();
    let name = format!("mean-{}", sha256(ids.join("\n").as_bytes()));
    let average = |folder: &Path| -> Result<(), ExecutorError> {
        average_prompts(&runs, clip, &folder.join("prompt"))?;
        Ok(())
    };
    let mean = context.once(&name, average)?.join("prompt");
    Ok(Some(fs::canonicalize(mean)?))
}
