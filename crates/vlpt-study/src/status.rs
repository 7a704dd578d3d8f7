//! How a study stands.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Result;
use crate::claim::is_taken;
use crate::folder::Folder;
use crate::job::{JobId, Kind};
use crate::log::{self, Took};
use crate::plan::Plan;
use crate::result::{is_done, read_failure};

/// How one job stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobState {
    /// It has a result.
    Done,
    /// A worker holds its claim.
    Running,
    /// It failed, and why.
    Failed {
        /// The message.
        message: String,
        /// How many times it was tried.
        attempts: u32,
    },
    /// A job it needs failed, directly or further up.
    Blocked,
    /// Nobody has done it yet.
    Missing,
}

/// How a study stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Every job of the plan, in its order.
    pub jobs: Vec<JobStatus>,
    /// Seconds that finished jobs took in all, one after another; from the logs.
    pub seconds_done: f64,
    /// Seconds that the other jobs should take, one after another, by the mean of their kind and
    /// method (else of all); `None` before anything is done.
    pub seconds_left: Option<f64>,
    /// What finished jobs took by kind and method; from the logs.
    pub spent: BTreeMap<(Kind, String), Spent>,
}

/// Seconds of finished jobs, one after another.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// All.
    pub seconds: f64,
    /// Those of training; the others went into opening tasks, evaluation and waiting for what
    /// jobs share.
    pub training: f64,
}

/// One job of a [`Status`].
#[derive(Debug, Clone, PartialEq)]
pub struct JobStatus {
    /// Its id.
    pub id: JobId,
    /// What it does.
    pub kind: Kind,
    /// Its method.
    pub method: String,
    /// [`crate::Job::title`].
    pub title: String,
    /// How it stands.
    pub state: JobState,
}

/// Counts of a [`Status`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// With a result.
    pub done: usize,
    /// Claimed.
    pub running: usize,
    /// Failed.
    pub failed: usize,
    /// Waiting for one that failed.
    pub blocked: usize,
    /// Not done yet.
    pub missing: usize,
}

impl Counts {
    /// All jobs.
    pub fn all(self) -> usize {
        self.done + self.running + self.failed + self.blocked + self.missing
    }
}

impl Status {
    /// Counts over all jobs.
    pub fn counts(&self) -> Counts {
        count(self.jobs.iter())
    }

    /// Counts for each kind and method, in the order of [`Kind::ALL`].
    pub fn by_kind(&self) -> BTreeMap<(Kind, String), Counts> {
        let mut parts: BTreeMap<_, Vec<&JobStatus>> = BTreeMap::new();
        for job in &self.jobs {
            let key = (job.kind, job.method.clone());
            parts.entry(key).or_default().push(job);
        }
        let counted = parts
            .into_iter()
            .map(|(key, jobs)| (key, count(jobs.into_iter())));
        counted.collect()
    }
}

fn count<'a>(jobs: impl Iterator<Item = &'a JobStatus>) -> Counts {
    let mut counts = Counts::default();
    for job in jobs {
        match job.state {
            JobState::Done => counts.done += 1,
            JobState::Running => counts.running += 1,
            JobState::Failed { .. } => counts.failed += 1,
            JobState::Blocked => counts.blocked += 1,
            JobState::Missing => counts.missing += 1,
        }
    }
    counts
}

/// Looks how a study stands; workers are not disturbed.
///
/// # Errors
/// No plan, or files that cannot be read.
pub fn status(dir: &Path) -> Result<Status> {
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    let mut jobs: Vec<JobStatus> = Vec::new();
    for (job, id) in plan.jobs().iter().zip(plan.ids()) {
        let hopeless = job.needs().iter().any(|need| {
            let state = plan.place(need).map(|place| &jobs[place].state);
            matches!(state, Some(JobState::Failed { .. } | JobState::Blocked))
        });
        let state = if is_done(&folder, id)? {
            JobState::Done
        } else if is_taken(&folder.claim(id.as_str()))? {
            JobState::Running
        } else if let Some(failure) = read_failure(&folder, id)? {
            JobState::Failed {
                message: failure.message,
                attempts: failure.attempts,
            }
        } else if hopeless {
            JobState::Blocked
        } else {
            JobState::Missing
        };
        jobs.push(JobStatus {
            id: id.clone(),
            kind: job.kind,
            method: job.method.clone(),
            title: job.title(),
            state,
        });
    }
    let took = log::seconds(&folder)?;
    let all: Vec<Took> = took.values().flatten().copied().collect();
    let left = jobs
        .iter()
        .filter(|job| job.state != JobState::Done)
        .map(|job| {
            let same = took.get(&(job.kind, job.method.clone()));
            mean(same.unwrap_or(&all))
        })
        .sum();
    Ok(Status {
        jobs,
        seconds_done: sum(&all).seconds,
        seconds_left: (!all.is_empty()).then_some(left),
        spent: took
            .iter()
            .map(|(key, took)| (key.clone(), sum(took)))
            .collect(),
    })
}

fn mean(took: &[Took]) -> f64 {
    sum(took).seconds / took.len() as f64
}

fn sum(took: &[Took]) -> Spent {
    Spent {
        seconds: took.iter().map(|took| took.seconds).sum(),
        training: took.iter().map(|took| took.training).sum(),
    }
}
