//! How a study stands.

use std::collections::BTreeMap;
use std::path::Path;

use crate::Result;
use crate::claim::is_taken;
use crate::folder::Folder;
use crate::log::{self, Took};
use crate::plan::Plan;
use crate::result::{is_done, read_failure};
use crate::unit::{Kind, UnitId};

/// How one unit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnitState {
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
    /// A unit it needs failed, directly or further up.
    Blocked,
    /// Nobody has done it yet.
    Missing,
}

/// How a study stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// Every unit of the plan, in its order.
    pub units: Vec<UnitStatus>,
    /// Seconds that finished units took in all, one after another; from the logs.
    pub seconds_done: f64,
    /// Seconds that the other units should take, one after another, by the mean of their kind and
    /// method (else of all); `None` before anything is done.
    pub seconds_left: Option<f64>,
    /// What finished units took by kind and method; from the logs.
    pub spent: BTreeMap<(Kind, String), Spent>,
}

/// Seconds of finished units, one after another.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// All.
    pub seconds: f64,
    /// Those of training; the others went into opening tasks, evaluation and waiting for what
    /// units share.
    pub training: f64,
}

/// One unit of a [`Status`].
#[derive(Debug, Clone, PartialEq)]
pub struct UnitStatus {
    /// Its id.
    pub id: UnitId,
    /// What it does.
    pub kind: Kind,
    /// Its method.
    pub method: String,
    /// [`crate::Unit::title`].
    pub title: String,
    /// How it stands.
    pub state: UnitState,
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
    /// All units.
    pub fn all(self) -> usize {
        self.done + self.running + self.failed + self.blocked + self.missing
    }
}

impl Status {
    /// Counts over all units.
    pub fn counts(&self) -> Counts {
        count(self.units.iter())
    }

    /// Counts for each kind and method, in the order of [`Kind::ALL`].
    pub fn by_kind(&self) -> BTreeMap<(Kind, String), Counts> {
        let mut parts: BTreeMap<_, Vec<&UnitStatus>> = BTreeMap::new();
        for unit in &self.units {
            let key = (unit.kind, unit.method.clone());
            parts.entry(key).or_default().push(unit);
        }
        let counted = parts
            .into_iter()
            .map(|(key, units)| (key, count(units.into_iter())));
        counted.collect()
    }
}

fn count<'a>(units: impl Iterator<Item = &'a UnitStatus>) -> Counts {
    let mut counts = Counts::default();
    for unit in units {
        match unit.state {
            UnitState::Done => counts.done += 1,
            UnitState::Running => counts.running += 1,
            UnitState::Failed { .. } => counts.failed += 1,
            UnitState::Blocked => counts.blocked += 1,
            UnitState::Missing => counts.missing += 1,
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
    let mut units: Vec<UnitStatus> = Vec::new();
    for (unit, id) in plan.units().iter().zip(plan.ids()) {
        let hopeless = unit.needs().iter().any(|need| {
            let state = plan.place(need).map(|place| &units[place].state);
            matches!(state, Some(UnitState::Failed { .. } | UnitState::Blocked))
        });
        let state = if is_done(&folder, id)? {
            UnitState::Done
        } else if is_taken(&folder.claim(id.as_str()))? {
            UnitState::Running
        } else if let Some(failure) = read_failure(&folder, id)? {
            UnitState::Failed {
                message: failure.message,
                attempts: failure.attempts,
            }
        } else if hopeless {
            UnitState::Blocked
        } else {
            UnitState::Missing
        };
        units.push(UnitStatus {
            id: id.clone(),
            kind: unit.kind,
            method: unit.method.clone(),
            title: unit.title(),
            state,
        });
    }
    let took = log::seconds(&folder)?;
    let all: Vec<Took> = took.values().flatten().copied().collect();
    let left = units
        .iter()
        .filter(|unit| unit.state != UnitState::Done)
        .map(|unit| {
            let same = took.get(&(unit.kind, unit.method.clone()));
            mean(same.unwrap_or(&all))
        })
        .sum();
    Ok(Status {
        units,
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
