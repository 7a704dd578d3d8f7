//! A plan as job arrays of Slurm.
//!
//! Two arrays: jobs that need no other, and after them those that start from a source's prompt.
//! The second waits until the first has ended, not until it has succeeded: a source that fails
//! blocks its own adapted jobs and no others, and a worker does a source that is still missing
//! itself. A job that is preempted, or whose node dies, goes back into the queue; its claims died
//! with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;
use vlpt_base::files::write_atomic;

use crate::folder::Folder;
use crate::job::Kind;
use crate::plan::Plan;
use crate::status::{JobState, status};
use crate::{Result, StudyError};

/// What a worker is started with, and what it gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlurmOptions {
    /// The worker's program and first arguments, such as `/opt/vlpt/bin/vlpt study run`. The
    /// study's folder, `--shard`, `--kinds`, `--threads` and `--memory` (bytes) are added.
    pub command: Vec<String>,
    /// Jobs of each array, at least 1.
    pub shards: usize,
    /// At most so many jobs of an array at a time.
    pub at_once: Option<usize>,
    /// Processors of each job.
    pub threads: usize,
    /// Bytes of memory of each job; `None`: Slurm's own default.
    pub memory: Option<u64>,
    /// More options of `sbatch`, such as `--partition=gpu` or `--time=2:00:00`.
    pub options: Vec<String>,
}

/// One of the two arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Jobs that need no other.
    Sources,
    /// Jobs that start from the prompts of others.
    Adapted,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Sources => "sources",
            Self::Adapted => "adapted",
        }
    }

    /// Kinds of a plan's jobs in this stage.
    fn kinds(self, plan: &Plan) -> Vec<Kind> {
        let later = |kind| {
            let mut jobs = plan.jobs().iter().filter(|job| job.kind == kind);
            jobs.any(|job| !job.needs().is_empty())
        };
        let kinds = Kind::ALL.into_iter();
        kinds
            .filter(|&kind| later(kind) == (self == Self::Adapted))
            .collect()
    }
}

/// An array that was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Which.
    pub stage: Stage,
    /// Slurm's number of the job.
    pub job: String,
    /// Its batch script.
    pub script: PathBuf,
}

/// The text of an array's batch script.
///
/// `dir` is written as it is given: an absolute path is right from everywhere. Logs go to its
/// `log/`.
///
/// # Errors
/// A path or option that a batch script cannot hold.
pub fn batch_script(
    dir: &Path,
    stage: Stage,
    kinds: &[Kind],
    options: &SlurmOptions,
) -> Result<String> {
    let bad = |found: String, expected: &str| StudyError::Setting {
        key: "slurm",
        found,
        expected: expected.to_owned(),
    };
    let path = dir.to_str().unwrap_or("\n");
    if path.contains(['"', '\\', '\n', '\r']) {
        return Err(bad(
            format!("the folder {}", dir.display()),
            "a path without quotes, backslashes and line ends, in UTF-8",
        ));
    }
    let mut words = options.command.iter().chain(&options.options);
    if let Some(word) = words.find(|word| word.contains(['\n', '\r', '\0'])) {
        return Err(bad(format!("{word:?}"), "one line"));
    }
    if let Some(option) = options.options.iter().find(|o| !o.starts_with("--")) {
        return Err(bad(format!("\"{option}\""), "options that start with --"));
    }
    if options.shards == 0 || options.threads == 0 || options.command.is_empty() {
        return Err(bad(
            format!(
                "{} shards, {} threads, a command of {} words",
                options.shards,
                options.threads,
                options.command.len()
            ),
            "at least 1 of each",
        ));
    }
    let last = options.shards - 1;
    let at_once = options
        .at_once
        .map_or_else(String::new, |n| format!("%{}", n.max(1)));
    let mut text = format!(
        "#!/bin/sh\n\
         #SBATCH --job-name=vlpt-{}\n\
         #SBATCH --array=0-{last}{at_once}\n\
         #SBATCH --ntasks=1\n\
         #SBATCH --cpus-per-task={}\n\
         #SBATCH --requeue\n\
         #SBATCH --open-mode=append\n\
         #SBATCH --output=\"{}/log/slurm-%A_%a.out\"\n",
        stage.name(),
        options.threads,
        path.replace('%', "%%"),
    );
    if let Some(bytes) = options.memory {
        text += &format!("#SBATCH --mem={}M\n", bytes.div_ceil(1 << 20));
    }
    for option in &options.options {
        text += &format!("#SBATCH {option}\n");
    }
    text += "exec";
    for word in options.command.iter().map(String::as_str).chain([path]) {
        text += &format!(" {}", quoted(word));
    }
    let kinds: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
    text += &format!(
        " --shard \"$SLURM_ARRAY_TASK_ID/{}\" --kinds {} --threads {}",
        options.shards,
        kinds.join(","),
        options.threads
    );
    if let Some(bytes) = options.memory {
        text += &format!(" --memory {bytes}");
    }
    text.push('\n');
    Ok(text)
}

/// A word as the shell reads it back unchanged.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Submits what a study lacks with `sbatch`. The batch scripts stay in its `launch/`.
///
/// # Errors
/// No plan, no `sbatch`, or `sbatch` refuses; an array that was submitted before stays.
pub fn submit(dir: &Path, options: &SlurmOptions) -> Result<Vec<Submitted>> {
    let dir = &fs::canonicalize(dir)?;
    let plan = Plan::read(dir)?;
    Folder::new(dir).make()?;
    fs::create_dir_all(dir.join("launch"))?;
    let jobs = status(dir)?.jobs;
    let mut submitted: Vec<Submitted> = Vec::new();
    for stage in [Stage::Sources, Stage::Adapted] {
        let mut kinds = stage.kinds(&plan);
        kinds.retain(|&kind| {
            let mut jobs = jobs.iter().filter(|job| job.kind == kind);
            jobs.any(|job| job.state != JobState::Done)
        });
        if kinds.is_empty() {
            continue;
        }
        let script = dir.join("launch").join(format!("{}.sbatch", stage.name()));
        let text = batch_script(dir, stage, &kinds, options)?;
        write_atomic(&script, text.as_bytes())?;
        let after = submitted.last().map(|before| before.job.clone());
        submitted.push(Submitted {
            stage,
            job: sbatch(&script, after.as_deref())?,
            script,
        });
    }
    Ok(submitted)
}

fn sbatch(script: &Path, after: Option<&str>) -> Result<String> {
    let failed = |what: String, hint| StudyError::Launch {
        program: "sbatch",
        what,
        hint,
    };
    let mut command = Command::new("sbatch");
    command.arg("--parsable");
    if let Some(job) = after {
        command.arg(format!("--dependency=afterany:{job}"));
    }
    let output = command.arg(script).output().map_err(|error| {
        failed(
            error.to_string(),
            "run this where Slurm's commands are in the PATH",
        )
    })?;
    let said = String::from_utf8_lossy(&output.stdout);
    // The number, and after a semicolon the cluster where there are several.
    let job = said.trim().split(';').next().unwrap_or_default();
    if output.status.success() && !job.is_empty() && job.bytes().all(|b| b.is_ascii_digit()) {
        return Ok(job.to_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(failed(
        format!("{} {}", said.trim(), error.trim())
            .trim()
            .to_owned(),
        "mend the options, or submit the script in the study's launch/ by hand",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> SlurmOptions {
        SlurmOptions {
            command: ["/opt/vlpt", "study", "run"].map(String::from).into(),
            shards: 8,
            at_once: Some(4),
            threads: 2,
            memory: Some(3 << 30),
            options: vec!["--partition=cpu".into()],
        }
    }

    #[test]
    fn the_batch_script_is_an_array_that_is_requeued() {
        let dir = Path::new("/data/it's 100%");
        let kinds = [Kind::Train, Kind::Single];
        let text = batch_script(dir, Stage::Sources, &kinds, &options()).unwrap();
        let expected = "#!/bin/sh\n\
            #SBATCH --job-name=vlpt-sources\n\
            #SBATCH --array=0-7%4\n\
            #SBATCH --ntasks=1\n\
            #SBATCH --cpus-per-task=2\n\
            #SBATCH --requeue\n\
            #SBATCH --open-mode=append\n\
            #SBATCH --output=\"/data/it's 100%%/log/slurm-%A_%a.out\"\n\
            #SBATCH --mem=3072M\n\
            #SBATCH --partition=cpu\n\
            exec '/opt/vlpt' 'study' 'run' '/data/it'\\''s 100%' \
            --shard \"$SLURM_ARRAY_TASK_ID/8\" --kinds train,single --threads 2 \
            --memory 3221225472\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_would_break_out_of_a_line_is_refused() {
        let dir = Path::new("/data");
        let script = |options: &SlurmOptions| batch_script(dir, Stage::Adapted, &[], options);
        let mut spoiled = options();
        spoiled.options = vec!["--time=1\nrm -rf /".into()];
        assert!(script(&spoiled).is_err());
        spoiled.options = vec!["partition=cpu".into()];
        assert!(script(&spoiled).is_err());
        spoiled = SlurmOptions {
            shards: 0,
            ..options()
        };
        assert!(script(&spoiled).is_err());
        assert!(batch_script(Path::new("/a\"b"), Stage::Sources, &[], &options()).is_err());
    }
}
