//! What a worker is told, and what it tells.

use std::time::Duration;

use crate::job::{Job, JobId, Kind};
use crate::shard::Shard;

/// What a worker may use, and what of the plan it does.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Threads of all jobs that run at a time.
    pub threads: usize,
    /// Bytes of memory of all jobs that run at a time; `None`: not watched.
    pub memory: Option<u64>,
    /// At most so many jobs at a time; `None`: as many as threads and memory hold.
    pub jobs: Option<usize>,
    /// Which part of the plan; the jobs that it needs are done too where nobody else does them.
    pub shard: Shard,
    /// Only jobs of these kinds (and what they need); empty: all.
    pub kinds: Vec<Kind>,
    /// Try jobs again that failed before this worker began.
    pub retry: bool,
    /// When all that is left is in the hands of others: wait for them, and take over what they drop
    /// when they are killed. Otherwise end.
    pub wait: bool,
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            threads: 1,
            memory: None,
            jobs: None,
            shard: Shard::WHOLE,
            kinds: Vec::new(),
            retry: false,
            wait: true,
        }
    }
}

/// What happens while a worker runs. Called from its own thread, one event at a time.
#[derive(Debug)]
pub enum Event<'a> {
    /// A job begins.
    Started {
        /// Its id.
        id: &'a JobId,
        /// The job.
        job: &'a Job,
    },
    /// A job is done.
    Finished {
        /// Its id.
        id: &'a JobId,
        /// The job.
        job: &'a Job,
        /// How long it took.
        took: Duration,
        /// Jobs of this worker's part that are done by now, whoever did them.
        done: usize,
        /// Jobs of this worker's part.
        all: usize,
    },
    /// A job failed, and why.
    Failed {
        /// Its id.
        id: &'a JobId,
        /// The job.
        job: &'a Job,
        /// The message.
        message: &'a str,
    },
    /// All that is left is in the hands of other workers.
    Waiting {
        /// How many jobs.
        jobs: usize,
    },
}

/// How a worker's part of the plan stands when it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Jobs of its part (with what they need).
    pub all: usize,
    /// Done by this worker.
    pub ran: Vec<JobId>,
    /// Done before, or by others.
    pub done_elsewhere: usize,
    /// Failed, now or before.
    pub failed: Vec<JobId>,
    /// Not begun, because a job they need failed or is missing.
    pub blocked: Vec<JobId>,
    /// Not begun, because they need more memory than the whole budget.
    pub too_large: Vec<JobId>,
    /// Left to others that still run, or not begun because of a stop.
    pub left: Vec<JobId>,
}

impl RunReport {
    /// Whether every job of the part has a result.
    pub fn complete(&self) -> bool {
        self.ran.len() + self.done_elsewhere == self.all
    }
}
