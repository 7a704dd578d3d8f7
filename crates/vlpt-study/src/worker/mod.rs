//! A worker: does what is missing of a plan, as many jobs at a time as its budget holds.

mod attempt;
mod limits;
mod part;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Scope;
use std::time::{Duration, Instant};

use crate::Result;
use attempt::attempt;
pub use limits::{Event, RunLimits, RunReport};
use part::part;

use crate::claim::Claim;
use crate::executor::{Executor, JobContext, Resources};
use crate::folder::Folder;
use crate::job::JobId;
use crate::log::Log;
use crate::plan::Plan;
use crate::result::{is_done, read_failure, write_failure, write_outcome};

/// Does the missing jobs of a study.
///
/// Jobs are begun in the order of the plan, each after those it needs; a job is claimed first, so
/// that any number of workers may run on one folder. Failures are filed, and the worker goes on. When
/// `stop` becomes true nothing new is begun and running jobs are asked to return.
///
/// # Errors
/// No plan, or a folder that cannot be read or written: not a job that fails.
pub fn run(
    dir: &Path,
    executor: &dyn Executor,
    limits: &RunLimits,
    stop: &AtomicBool,
    observer: &mut dyn FnMut(Event<'_>),
) -> Result<RunReport> {
    let plan = Plan::read(dir)?;
    let folder = Folder::new(dir);
    folder.make()?;
    let mut worker = Worker::new(&plan, &folder, executor, limits, stop)?;
    let (to, from) = channel();
    std::thread::scope(|scope| worker.drive(scope, &to, &from, observer))?;
    Ok(worker.report())
}

/// How a job stands for this worker.
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
    trained: Duration,
    outcome: std::result::Result<Result<()>, String>,
}

struct Worker<'p> {
    plan: &'p Plan,
    folder: &'p Folder,
    executor: &'p dyn Executor,
    limits: &'p RunLimits,
    stop: &'p AtomicBool,
    log: Log,
    /// Jobs of this worker's part by their place in the plan.
    states: BTreeMap<usize, State>,
    /// What runs, with what it takes.
    running: BTreeMap<usize, Resources>,
    /// Attempts that failed before this worker began.
    attempts: BTreeMap<usize, u32>,
}

impl<'p> Worker<'p> {
    fn new(
        plan: &'p Plan,
        folder: &'p Folder,
        executor: &'p dyn Executor,
        limits: &'p RunLimits,
        stop: &'p AtomicBool,
    ) -> Result<Self> {
        let mut worker = Self {
            plan,
            folder,
            executor,
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
                    observer(Event::Waiting { jobs: elsewhere });
                    told = true;
                }
                std::thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(500));
                continue;
            }
            (told, pause) = (false, Duration::from_millis(10));
            // Jobs that others hold are looked at again now and then while ours run.
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
            let resources = self.resources(place);
            if self
                .limits
                .memory
                .is_some_and(|budget| resources.memory > budget)
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
            let (state, claim) = self.look(place, self.fits(resources))?;
            self.states.insert(place, state);
            if let Some(claim) = claim {
                self.spawn(scope, to, place, resources, claim, observer)?;
                begun += 1;
            }
        }
        Ok(begun)
    }

    /// How an open job stands, and its claim where it can begin.
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

    /// A job that has not failed, or that failed before this worker began and should be tried again:
    /// each worker tries it once more, not for ever.
    fn may_try(&self, place: usize) -> Result<bool> {
        let Some(failure) = read_failure(self.folder, &self.plan.ids()[place])? else {
            return Ok(true);
        };
        let before = self.attempts.get(&place).copied();
        Ok(self.limits.retry && before == Some(failure.attempts))
    }

    /// `Ran` when all that a job needs is done; else how it has to stand because of that.
    fn needs(&self, place: usize) -> State {
        let mut worst = State::Ran;
        for id in self.plan.jobs()[place].needs() {
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

    fn resources(&self, place: usize) -> Resources {
        let resources = self.executor.resources(&self.plan.jobs()[place]);
        Resources {
            threads: resources.threads.clamp(1, self.limits.threads.max(1)),
            memory: resources.memory,
        }
    }

    fn fits(&self, resources: Resources) -> bool {
        let threads: usize = self.running.values().map(|n| n.threads).sum();
        let memory = self
            .running
            .values()
            .fold(resources.memory, |sum, n| sum.saturating_add(n.memory));
        let jobs = self
            .limits
            .jobs
            .is_none_or(|jobs| self.running.len() < jobs.max(1));
        let free = threads + resources.threads <= self.limits.threads.max(1);
        jobs && free && self.limits.memory.is_none_or(|budget| memory <= budget)
    }

    fn spawn<'s>(
        &mut self,
        scope: &'s Scope<'s, '_>,
        to: &Sender<Finished>,
        place: usize,
        resources: Resources,
        claim: Claim,
        observer: &mut dyn FnMut(Event<'_>),
    ) -> Result<()>
    where
        'p: 's,
    {
        let (job, id) = (&self.plan.jobs()[place], &self.plan.ids()[place]);
        self.log.started(id, job)?;
        observer(Event::Started { id, job });
        self.running.insert(place, resources);
        let (folder, executor, stop, to) = (self.folder, self.executor, self.stop, to.clone());
        scope.spawn(move || {
            let began = Instant::now();
            let context = JobContext {
                folder,
                id,
                threads: resources.threads,
                stop,
                trained: AtomicU64::new(0),
            };
            let outcome = attempt(executor, job, &context)
                .map(|outcome| write_outcome(folder, job, id, outcome));
            // Filed under the claim, as results are; what returns because of a stop did not fail.
            let filed = match &outcome {
                Err(message) if !context.stopped() => {
                    write_failure(folder, id, message).map(|_| ())
                }
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
                trained: Duration::from_millis(context.trained.load(Ordering::Relaxed)),
                outcome,
            });
        });
        Ok(())
    }

    fn finish(&mut self, finished: Finished, observer: &mut dyn FnMut(Event<'_>)) -> Result<()> {
        let place = finished.place;
        self.running.remove(&place);
        let (job, id) = (&self.plan.jobs()[place], &self.plan.ids()[place]);
        match finished.outcome {
            Ok(written) => {
                written?;
                self.states.insert(place, State::Ran);
                self.log
                    .finished(id, job, finished.took, finished.trained)?;
                observer(Event::Finished {
                    id,
                    job,
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
                self.log.failed(id, job, finished.took)?;
                observer(Event::Failed {
                    id,
                    job,
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
        let of = |wanted: &[State]| -> Vec<JobId> {
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
