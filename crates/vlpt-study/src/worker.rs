//! A worker: does what is missing of a plan, as many units at a time as its budget holds.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::Result;
use crate::claim::Claim;
use crate::folder::Folder;
use crate::log::Log;
use crate::plan::Plan;
use crate::result::{Outcome, is_done, read_failure, write_failure, write_outcome};
use crate::shard::Shard;
use crate::unit::{Kind, Unit, UnitId};
use crate::work::{Desk, Need, Work};

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

/// Does the missing units of a study.
///
/// Units are begun in the order of the plan, each after those it needs; a unit is claimed first, so
/// that any number of workers may run on one folder. Failures are filed, and the worker goes on. When
/// `stop` becomes true nothing new is begun and running units are asked to return.
///
/// # Errors
/// No plan, or a folder that cannot be read or written: not a unit that fails.
pub fn run(
    dir: &Path,
    work: &dyn Work,
    limits: &RunLimits,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<RunReport> {
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    folder.make()?;
    let mut worker = Worker::new(&plan, &folder, work, limits, stop)?;
    let (to, from) = channel();
    std::thread::scope(|scope| worker.drive(scope, &to, &from, observer))?;
    Ok(worker.report())
}

/// How a unit stands for this worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Elsewhere,
    Running,
    Ran,
    DoneElsewhere,
    Failed,
    Blocked,
    TooLarge,
}

struct Finished {
    place: usize,
    took: Duration,
    outcome: std::result::Result<Result<()>, String>,
}

struct Worker<'p> {
    plan: &'p Plan,
    folder: &'p Folder,
    work: &'p dyn Work,
    limits: &'p RunLimits,
    stop: &'p AtomicBool,
    log: Log,
    /// Units of this worker's part by their place in the plan.
    states: BTreeMap<usize, State>,
    /// What runs, with what it takes.
    running: BTreeMap<usize, Need>,
    /// Attempts that failed before this worker began.
    attempts: BTreeMap<usize, u32>,
}

impl<'p> Worker<'p> {
    fn new(
        plan: &'p Plan,
        folder: &'p Folder,
        work: &'p dyn Work,
        limits: &'p RunLimits,
        stop: &'p AtomicBool,
    ) -> Result<Self> {
        let mut worker = Self {
            plan,
            folder,
            work,
            limits,
            stop,
            log: Log::open(folder)?,
            states: part(plan, limits)
                .into_iter()
                .map(|place| (place, State::Open))
                .collect(),
            running: BTreeMap::new(),
            attempts: BTreeMap::new(),
        };
        let places: Vec<usize> = worker.states.keys().copied().collect();
        for place in places {
            let id = &plan.ids()[place];
            if is_done(folder, id)? {
                worker.states.insert(place, State::DoneElsewhere);
            } else if let Some(failure) = read_failure(folder, id)? {
                worker.attempts.insert(place, failure.attempts);
            }
        }
        Ok(worker)
    }

    fn drive<'s>(
        &mut self,
        scope: &'s Scope<'s, '_>,
        to: &Sender<Finished>,
        from: &Receiver<Finished>,
        observer: &mut dyn FnMut(Event<'_>),
    ) -> Result<()>
    where
        'p: 's,
    {
        let mut pause = Duration::from_millis(10);
        let mut told = false;
        loop {
            let begun = self.begin(scope, to, observer)?;
            let elsewhere = self.count(State::Elsewhere);
            if self.running.is_empty() {
                let over = elsewhere == 0 || !self.limits.wait;
                if self.stopped() || (over && begun == 0) {
                    return Ok(());
                }
                if !told {
                    observer(Event::Waiting { units: elsewhere });
                    told = true;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(500));
                continue;
            }
            (told, pause) = (false, Duration::from_millis(10));
            // Units that others hold are looked at again now and then while ours run.
            match from.recv_timeout(Duration::from_millis(if elsewhere > 0 {
                200
            } else {
                1000
            })) {
                Ok(finished) => self.finish(finished, observer)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
    }

    /// Begins what can begin; how many did.
    fn begin<'s>(
        &mut self,
        scope: &'s Scope<'s, '_>,
        to: &Sender<Finished>,
        observer: &mut dyn FnMut(Event<'_>),
    ) -> Result<usize>
    where
        'p: 's,
    {
        let mut begun = 0;
        let places: Vec<usize> = self.states.keys().copied().collect();
        for place in places {
            if self.stopped() {
                break;
            }
            if !matches!(self.states[&place], State::Open | State::Elsewhere) {
                continue;
            }
            let need = self.need(place);
            if self
                .limits
                .memory
                .is_some_and(|budget| need.memory > budget)
            {
                let done = is_done(self.folder, &self.plan.ids()[place])?;
                let state = if done {
                    State::DoneElsewhere
                } else {
                    State::TooLarge
                };
                self.states.insert(place, state);
                continue;
            }
            let (state, claim) = self.look(place, self.fits(need))?;
            self.states.insert(place, state);
            if let Some(claim) = claim {
                self.spawn(scope, to, place, need, claim, observer)?;
                begun += 1;
            }
        }
        Ok(begun)
    }

    /// How an open unit stands, and its claim where it can begin.
    fn look(&self, place: usize, fits: bool) -> Result<(State, Option<Claim>)> {
        let id = &self.plan.ids()[place];
        // What cannot begin costs no look into the folder, which may be on a network.
        if !fits {
            return Ok((State::Open, None));
        }
        let needs = self.needs(place);
        if matches!(needs, State::Open | State::Elsewhere) {
            return Ok((needs, None));
        }
        if is_done(self.folder, id)? {
            return Ok((State::DoneElsewhere, None));
        }
        if needs == State::Blocked {
            return Ok((State::Blocked, None));
        }
        if !self.may_try(place)? {
            return Ok((State::Failed, None));
        }
        let Some(claim) = Claim::take(&self.folder.claim(id.as_str()))? else {
            return Ok((State::Elsewhere, None));
        };
        // Whoever held the claim before may have just finished, or failed.
        if is_done(self.folder, id)? {
            return Ok((State::DoneElsewhere, None));
        }
        if !self.may_try(place)? {
            return Ok((State::Failed, None));
        }
        Ok((State::Running, Some(claim)))
    }

    /// A unit that has not failed, or that failed before this worker began and should be tried again:
    /// each worker tries it once more, not for ever.
    fn may_try(&self, place: usize) -> Result<bool> {
        let Some(failure) = read_failure(self.folder, &self.plan.ids()[place])? else {
            return Ok(true);
        };
        let before = self.attempts.get(&place).copied();
        Ok(self.limits.retry && before == Some(failure.attempts))
    }

    /// `Ran` when all that a unit needs is done; else how it has to stand because of that.
    fn needs(&self, place: usize) -> State {
        let mut worst = State::Ran;
        for id in self.plan.units()[place].needs() {
            let state = self.plan.place(id).and_then(|p| self.states.get(&p));
            match state {
                Some(State::Open | State::Running) => worst = State::Open,
                Some(State::Elsewhere) if worst == State::Ran => worst = State::Elsewhere,
                Some(State::Ran | State::DoneElsewhere | State::Elsewhere) => {}
                Some(State::Failed | State::Blocked | State::TooLarge) | None => {
                    return State::Blocked;
                }
            }
        }
        worst
    }

    fn need(&self, place: usize) -> Need {
        let need = self.work.need(&self.plan.units()[place]);
        Need {
            threads: need.threads.clamp(1, self.limits.threads.max(1)),
            memory: need.memory,
        }
    }

    fn fits(&self, need: Need) -> bool {
        let threads: usize = self.running.values().map(|n| n.threads).sum();
        let memory = self
            .running
            .values()
            .fold(need.memory, |sum, n| sum.saturating_add(n.memory));
        let jobs = self
            .limits
            .jobs
            .is_none_or(|jobs| self.running.len() < jobs.max(1));
        let free = threads + need.threads <= self.limits.threads.max(1);
        jobs && free && self.limits.memory.is_none_or(|budget| memory <= budget)
    }

    fn spawn<'s>(
        &mut self,
        scope: &'s Scope<'s, '_>,
        to: &Sender<Finished>,
        place: usize,
        need: Need,
        claim: Claim,
        observer: &mut dyn FnMut(Event<'_>),
    ) -> Result<()>
    where
        'p: 's,
    {
        let (unit, id) = (&self.plan.units()[place], &self.plan.ids()[place]);
        self.log.started(id, unit)?;
        observer(Event::Started { id, unit });
        self.running.insert(place, need);
        let (folder, work, stop, to) = (self.folder, self.work, self.stop, to.clone());
        scope.spawn(move || {
            let began = Instant::now();
            let desk = Desk {
                folder,
                id,
                threads: need.threads,
                stop,
            };
            let outcome =
                attempt(work, unit, &desk).map(|outcome| write_outcome(folder, unit, id, outcome));
            // Filed under the claim, as results are; what returns because of a stop did not fail.
            let filed = match &outcome {
                Err(message) if !desk.stopped() => write_failure(folder, id, message).map(|_| ()),
                _ => Ok(()),
            };
            drop(claim);
            let outcome = match filed {
                Ok(()) => outcome,
                Err(error) => Ok(Err(error)),
            };
            // The receiver lives as long as the scope.
            let _ = to.send(Finished {
                place,
                took: began.elapsed(),
                outcome,
            });
        });
        Ok(())
    }

    fn finish(&mut self, finished: Finished, observer: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        let place = finished.place;
        self.running.remove(&place);
        let (unit, id) = (&self.plan.units()[place], &self.plan.ids()[place]);
        match finished.outcome {
            Ok(written) => {
                written?;
                self.states.insert(place, State::Ran);
                self.log.finished(id, unit, finished.took)?;
                observer(Event::Finished {
                    id,
                    unit,
                    took: finished.took,
                    done: self.count(State::Ran) + self.count(State::DoneElsewhere),
                    all: self.states.len(),
                });
            }
            Err(_) if self.stopped() => {
                self.states.insert(place, State::Open);
            }
            Err(message) => {
                self.states.insert(place, State::Failed);
                self.log.failed(id, unit, finished.took)?;
                observer(Event::Failed {
                    id,
                    unit,
                    message: &message,
                });
            }
        }
        Ok(())
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn count(&self, state: State) -> usize {
        self.states.values().filter(|&&s| s == state).count()
    }

    fn report(&self) -> RunReport {
        let of = |wanted: &[State]| -> Vec<UnitId> {
            let places = self
                .states
                .iter()
                .filter(|(_, state)| wanted.contains(state));
            places
                .map(|(&place, _)| self.plan.ids()[place].clone())
                .collect()
        };
        RunReport {
            all: self.states.len(),
            ran: of(&[State::Ran]),
            done_elsewhere: self.count(State::DoneElsewhere),
            failed: of(&[State::Failed]),
            blocked: of(&[State::Blocked]),
            too_large: of(&[State::TooLarge]),
            left: of(&[State::Open, State::Elsewhere, State::Running]),
        }
    }
}

/// Runs the work; a panic in it is a failure like any other.
fn attempt(work: &dyn Work, unit: &Unit, desk: &Desk<'_>) -> std::result::Result<Outcome, String> {
    let outcome = catch_unwind(AssertUnwindSafe(|| work.run(unit, desk)))
        .map_err(|panic| {
            let text = panic.downcast_ref::<&str>().map(ToString::to_string);
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            format!(
                "panicked: {}",
                text.unwrap_or_else(|| "no message".to_owned())
            )
        })?
        .map_err(|error| message(&*error))?;
    outcome.check(unit)?;
    Ok(outcome)
}

/// An error with its causes.
fn message(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

/// Places of the units of a worker's part, and of all they need.
fn part(plan: &Plan, limits: &RunLimits) -> Vec<usize> {
    let wanted = |unit: &Unit| limits.kinds.is_empty() || limits.kinds.contains(&unit.kind);
    let places = (0..plan.units().len()).filter(|&place| wanted(&plan.units()[place]));
    let mut chosen = vec![false; plan.units().len()];
    for (number, place) in places.enumerate() {
        chosen[place] = limits.shard.has(number);
    }
    // Needs come before a unit in the plan, so one pass from the end finds all.
    for place in (0..chosen.len()).rev() {
        if chosen[place] {
            for need in plan.units()[place].needs() {
                if let Some(place) = plan.place(need) {
                    chosen[place] = true;
                }
            }
        }
    }
    (0..chosen.len()).filter(|&place| chosen[place]).collect()
}
