//! What every executor is asked for, and what it is given.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fs_err as fs;
use vlpt_base::files::make_folder;

use crate::Result;
use crate::claim::Claim;
use crate::folder::Folder;
use crate::job::{Job, JobId};
use crate::result::Outcome;

/// Any error of a job; its message is filed.
pub type ExecutorError = Box<dyn std::error::Error + Send + Sync>;

/// What a job takes while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resources {
    /// Threads it keeps busy.
    pub threads: usize,
    /// Bytes of memory beside what all jobs share.
    pub memory: u64,
}

/// How jobs are done. Called from several threads at a time.
///
/// A job's outcome must follow from the job and the files of the jobs it needs, and from
/// nothing else.
pub trait Executor: Sync {
    /// Does one job.
    ///
    /// # Errors
    /// Whatever goes wrong: it is filed with its message, and the jobs that need this one wait.
    /// After [`JobContext::stopped`] an early return of any error is no failure.
    fn run(
        &self,
        job: &Job,
        context: &JobContext<'_>,
    ) -> std::result::Result<Outcome, ExecutorError>;

    /// What a job takes. More threads than the whole budget are cut down to it; a job with more
    /// memory than the whole budget is not begun.
    fn resources(&self, _job: &Job) -> Resources {
        Resources {
            threads: 1,
            memory: 0,
        }
    }
}

/// Where a job is done: its folder, its share of the machine, and what it shares with others.
#[derive(Debug)]
pub struct JobContext<'a> {
    pub(crate) folder: &'a Folder,
    pub(crate) id: &'a JobId,
    pub(crate) threads: usize,
    pub(crate) stop: &'a AtomicBool,
    /// Milliseconds of training so far.
    pub(crate) trained: AtomicU64,
}

impl JobContext<'_> {
    /// The job's id.
    pub fn id(&self) -> &JobId {
        self.id
    }

    /// Threads it may keep busy.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the study is asked to stop: the work should save a checkpoint and return.
    pub fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Says how much of the job's time was training; the rest is evaluation and waiting.
    pub fn trained(&self, took: Duration) {
        let took = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.trained.fetch_add(took, Ordering::Relaxed);
    }

    /// The job's own folder, made if it is not there. What a killed worker left is in it; what is
    /// left in it when the job is done is there for the jobs that need this one.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn own(&self) -> Result<PathBuf> {
        let path = self.folder.work(self.id);
        fs::create_dir_all(&path)?;
        Ok(path)
    }

    /// The folder of a job that this one needs.
    pub fn of(&self, id: &JobId) -> PathBuf {
        self.folder.work(id)
    }

    /// A folder that several jobs need and one of them makes, whole or absent, whichever process
    /// they are in. `key` should hold a hash of everything that the content depends on. The others
    /// wait; after a kill the next one makes it.
    ///
    /// # Errors
    /// A key that is not one plain file name, the folder cannot be written, or `make` fails.
    pub fn once(
        &self,
        key: &str,
        make: impl FnOnce(&Path) -> std::result::Result<(), ExecutorError>,
    ) -> std::result::Result<PathBuf, ExecutorError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if key.is_empty() || key.len() > 128 || !key.chars().all(plain) {
            return Err(format!("shared key \"{key}\": expected letters, digits, - and _").into());
        }
        let path = self.folder.shared(key);
        let lock = self.folder.claim(&format!("shared-{key}"));
        let mut pause = Duration::from_millis(1);
        loop {
            if path.is_dir() {
                return Ok(path);
            }
            if let Some(_claim) = Claim::take(&lock)? {
                if !path.is_dir() {
                    make_folder(&path, make)?;
                }
                return Ok(path);
            }
            if self.stopped() {
                return Err("the study was asked to stop".into());
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    }
}
