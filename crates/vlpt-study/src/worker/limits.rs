//! What a worker is told, and what it tells.

use std::time::Duration;

use crate::shard::Shard;
use crate::unit::{Kind, Unit, UnitId};

/// What a worker may use, and what of the plan it does.
#[derive(Debug, Clone)]
pub struct RunLimits {
    /// Threads of all units that run at a time.
    pub threads: usize,
    /// Bytes of memory of all units that run at a time; `None`: not watched.
    pub memory: Option<u64>,
    /// At most so many units at a time; `None`: as many as threads and memory hold.
    pub jobs: Option<usize>,
    /// Which part of the plan; the units that it needs are done too where nobody else does them.
    pub shard: Shard,
    /// Only units of these kinds (and what they need); empty: all.
    pub kinds: Vec<Kind>,
    /// Try units again that failed before this worker began.
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
    /// A unit begins.
    Started {
        /// Its id.
        id: &'a UnitId,
        /// The unit.
        unit: &'a Unit,
    },
    /// A unit is done.
    Finished {
        /// Its id.
        id: &'a UnitId,
        /// The unit.
        unit: &'a Unit,
        /// How long it took.
        took: Duration,
        /// Units of this worker's part that are done by now, whoever did them.
        done: usize,
        /// Units of this worker's part.
        all: usize,
    },
    /// A unit failed, and why.
    Failed {
        /// Its id.
        id: &'a UnitId,
        /// The unit.
        unit: &'a Unit,
        /// The message.
        message: &'a str,
    },
    /// All that is left is in the hands of other workers.
    Waiting {
        /// How many units.
        units: usize,
    },
}

/// How a worker's part of the plan stands when it ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunReport {
    /// Units of its part (with what they need).
    pub all: usize,
    /// Done by this worker.
    pub ran: Vec<UnitId>,
    /// Done before, or by others.
    pub done_elsewhere: usize,
    /// Failed, now or before.
    pub failed: Vec<UnitId>,
    /// Not begun, because a unit they need failed or is missing.
    pub blocked: Vec<UnitId>,
    /// Not begun, because they need more memory than the whole budget.
    pub too_large: Vec<UnitId>,
    /// Left to others that still run, or not begun because of a stop.
    pub left: Vec<UnitId>,
}

impl RunReport {
    /// Whether every unit of the part has a result.
    pub fn complete(&self) -> bool {
        self.ran.len() + self.done_elsewhere == self.all
    }
}
