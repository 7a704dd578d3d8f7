//! Threads that stay awake for a pass and take part in its works.
//!
//! A pass through a tower shares its work out dozens of times a block, each time for some ten to some
//! hundred microseconds. To put a thread to sleep in between and to wake it again would take a good
//! part of that, and even to hand it a job while it is awake takes longer than it has to.

use std::any::Any;
use std::cell::{Cell, UnsafeCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::Yield;

/// Turns of a waiting thread that are over in an instant; after them it lets others run in between.
const EAGER: usize = 256;

/// Turns that a thread without work stays awake.
const PATIENCE: usize = 1 << 14;

/// In [`ThreadTeam::state`]: one more thread takes part, whoever comes may take part, and the next work.
const ONE: u64 = 1;
const OPEN: u64 = 1 << 31;
const NEXT: u64 = 1 << 32;

/// What a thread is to take part in.
type Work<'a> = &'a (dyn Fn() + Sync);

/// The other threads of a pool, as far as they are awake and wait for works of one thread, which
/// leads them.
struct ThreadTeam {
    /// How many there are besides the one that leads, and how many of these are here.
    others: usize,
    here: AtomicUsize,
    /// The number of the work, whether it is open, and how many take part.
    state: AtomicU64,
    /// What whoever joined an open work may call.
    work: UnsafeCell<Option<Work<'static>>>,
    /// Why a work broke.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
    /// Whether the works have ended.
    done: AtomicBool,
}

// SAFETY: `work` is written only by the thread that leads, while no work is open and none takes part,
// and read only by those who take part.
unsafe impl Sync for ThreadTeam {}

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
            state: AtomicU64::new(0),
            work: UnsafeCell::new(None),
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
        // SAFETY: the lifetime is made longer, but nobody calls it after this function: below the
        // work is closed, and this thread waits for those who had joined it.
        let work_of_team = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        // SAFETY: no work is open, and the last one was waited for.
        unsafe { *self.work.get() = Some(work_of_team) };
        self.state.fetch_add(NEXT + OPEN, Ordering::Release);
        {
            let _last = AtLast(|| self.close());
            work();
        }
        let panic = self
            .panic
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// Lets nobody join any more, and waits for those who take part.
    fn close(&self) {
        let mut state = self.state.fetch_sub(OPEN, Ordering::Acquire);
        for turn in 0.. {
            if state.is_multiple_of(OPEN) {
                break;
            }
            pause(turn);
            state = self.state.load(Ordering::Acquire);
        }
    }

    /// Takes part in the works of the team, and in what else is to be done in the pool, until they
    /// have ended or for as long as there is something.
    fn stay(&self) {
        self.here.fetch_add(1, Ordering::Relaxed);
        let (mut idle, mut last) = (0, 0);
        while idle < PATIENCE && !self.done.load(Ordering::Relaxed) {
            let number = self.state.load(Ordering::Relaxed) / NEXT;
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
        let before = self.state.fetch_add(ONE, Ordering::Acquire);
        let _last = AtLast(|| {
            self.state.fetch_sub(ONE, Ordering::Release);
        });
        if before & OPEN == 0 {
            return;
        }
        // SAFETY: the work is open, so it was written before, and it is not written again while this
        // thread takes part.
        let Some(work) = (unsafe { *self.work.get() }) else {
            return;
        };
        BUSY.set(true);
        let result = catch_unwind(AssertUnwindSafe(work));
        BUSY.set(false);
        if let Err(panic) = result {
            *self.panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
        }
    }
}

/// One turn of waiting.
fn pause(turn: usize) {
    if turn < EAGER {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Does something when it is dropped, also while a panic unwinds.
struct AtLast<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtLast<F> {
    fn drop(&mut self) {
        (self.0)();
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
                let number = || team.state.load(Ordering::Relaxed) / NEXT;
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
