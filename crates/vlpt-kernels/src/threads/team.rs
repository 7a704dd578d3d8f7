//! Threads that stay awake for a pass and take part in its works.
//!
//! A pass through a tower shares its work out dozens of times a block, each time for some ten to some
//! hundred microseconds. To put a thread to sleep in between and to wake it again would take a good
//! part of that, and even to hand it a job while it is awake takes longer than it has to.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::Yield;

use super::works::{AtLast, Work, Works, pause};

/// Turns that a thread without work stays awake.
const PATIENCE: usize = 1 << 14;

/// The other threads of a pool, as far as they are awake and wait for works of one thread, which
/// leads them.
struct ThreadTeam {
    /// How many there are besides the one that leads, and how many of these are here.
    others: usize,
    here: AtomicUsize,
    works: Works,
    /// Why a work broke.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether the works have ended.
    done: AtomicBool,
}

thread_local! {
    /// Whether this thread leads a team, or takes part in a work: it must not be held up by another.
    static BUSY: Cell<bool> = const { Cell::new(false) };
    /// The team that this thread leads, if no work of it is open.
    static FREE: Cell<Option<NonNull<ThreadTeam>>> = const { Cell::new(None) };
}

/// Runs `work` on a thread of the current pool, while the others stay awake.
pub fn with_thread_team<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let team = ThreadTeam::new(rayon::current_num_threads() - 1);
    rayon::scope(|scope| {
        let is_here = |team: NonNull<ThreadTeam>| {
            // SAFETY: a team is free only while it is there.
            unsafe { team.as_ref() }.is_here()
        };
        if FREE.get().is_some_and(is_here) {
            return work();
        }
        let team = &team;
        let before = (BUSY.replace(true), FREE.replace(Some(NonNull::from(team))));
        let _last = AtLast(|| {
            BUSY.set(before.0);
            FREE.set(before.1);
            team.done.store(true, Ordering::Relaxed);
        });
        scope.spawn_broadcast(move |_, _| {
            if !BUSY.get() {
                team.stay();
            }
        });
        work()
    })
}

/// Calls `work` on this thread and up to `threads - 1` others of the pool at once.
pub(super) fn together(threads: usize, work: Work) {
    let free = FREE.take();
    let _last = AtLast(|| FREE.set(free));
    // SAFETY: a team is free only while it is there.
    match free.map(|team| unsafe { team.as_ref() }) {
        Some(team) if team.is_here() => team.run(work),
        _ => rayon::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|_| work());
            }
            work();
        }),
    }
}

impl ThreadTeam {
    fn new(others: usize) -> Self {
        Self {
            others,
            here: AtomicUsize::new(0),
            works: Works::new(),
            panic: Mutex::new(None),
            done: AtomicBool::new(false),
        }
    }

    /// Whether all of them wait for a work.
    fn is_here(&self) -> bool {
        self.here.load(Ordering::Relaxed) == self.others
    }

    /// Calls `work` on the thread that leads and all others. Comes back when nobody is in it.
    fn run(&self, work: Work) {
        self.works.run(work);
        let panic = self
            .panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Takes part in the works of the team, and in what else is to be done in the pool, until they
    /// have ended or for as long as there is something.
    fn stay(&self) {
        self.here.fetch_add(1, Ordering::Relaxed);
        let (mut idle, mut last) = (0, 0);
        while idle < PATIENCE && !self.done.load(Ordering::Relaxed) {
            let number = self.works.number();
            if number != last {
                self.take_part();
                last = number;
                idle = 0;
            } else if rayon::yield_now() == Some(Yield::Executed) {
                idle = 0;
            } else {
                pause(idle);
                idle += 1;
            }
        }
        self.here.fetch_sub(1, Ordering::Relaxed);
    }

    /// Takes part in a work, if it is open still.
    fn take_part(&self) {
        self.works.take_part(|work| {
            BUSY.set(true);
            let result = catch_unwind(AssertUnwindSafe(work));
            BUSY.set(false);
            if let Err(panic) = result {
                *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_that_is_here_gets_the_works() {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(3)
            .build()
            .unwrap();
        let number = pool.install(|| {
            with_thread_team(|| {
                // SAFETY: the team is there while this runs.
                let team = unsafe { FREE.get().unwrap().as_ref() };
                let number = || team.works.number();
                for _ in 0..100_000 {
                    together(3, &|| ());
                    if number() > 0 {
                        break;
                    }
                    std::thread::yield_now();
                }
                number()
            })
        });
        assert!(number > 0, "all works became jobs of the pool");
    }

    #[test]
    fn a_thread_that_finds_nothing_to_do_falls_asleep() {
        let team = ThreadTeam::new(1);
        team.stay();
        assert!(!team.is_here());
    }
}
