//! Works of one thread that others may join while they are open.
//!
//! The only place where threads meet without rayon. `loom/` beside this crate's sources runs this very
//! file under every order of steps that the memory model allows; what it takes of the standard
//! library therefore comes from [`super::sync`].

use super::sync::{AtomicU64, Ordering, UnsafeCell, spin_loop, yield_now};

/// Turns of a waiting thread that are over in an instant; after them it lets others run in between.
const EAGER: usize = 256;

/// In the state: one more thread takes part, whoever comes may take part, and the next work.
const ONE: u64 = 1;
const OPEN: u64 = 1 << 31;
const NEXT: u64 = 1 << 32;

/// What a thread is to take part in.
pub(super) type Work<'a> = &'a (dyn Fn() + Sync);

/// Works of one thread, one after the other.
pub(super) struct Works {
    /// The number of the work, whether it is open, and how many take part.
    state: AtomicU64,
    /// What whoever joined an open work may call.
    work: UnsafeCell<Option<Work<'static>>>,
}

// SAFETY: `work` is written only by the thread that leads, while no work is open and none takes part,
// and read only by those who take part.
unsafe impl Sync for Works {}

impl Works {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU64::new(0),
            work: UnsafeCell::new(None),
        }
    }

    /// How many works there have been.
    pub(super) fn number(&self) -> u64 {
        self.state.load(Ordering::Relaxed) / NEXT
    }

    /// Calls `work` on this thread, while others may join. Comes back when nobody is in it. One
    /// thread alone may call this.
    pub(super) fn run(&self, work: Work) {
        // SAFETY: the lifetime is made longer, but nobody calls it after this function: below the
        // work is closed, and this thread waits for those who had joined it.
        let work_of_team = unsafe { std::mem::transmute::<Work<'_>, Work<'static>>(work) };
        // SAFETY: no work is open, and the last one was waited for.
        self.work
            .with_mut(|place| unsafe { *place = Some(work_of_team) });
        self.state.fetch_add(NEXT + OPEN, Ordering::Release);
        let _last = AtLast(|| self.close());
        work();
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

    /// Takes part in a work, if it is open still: hands it to `call`.
    pub(super) fn take_part(&self, call: impl FnOnce(Work)) {
        let before = self.state.fetch_add(ONE, Ordering::Acquire);
        let _last = AtLast(|| {
            self.state.fetch_sub(ONE, Ordering::Release);
        });
        if before & OPEN == 0 {
            return;
        }
        // SAFETY: the work is open, so it was written before, and it is not written again while this
        // thread takes part.
        if let Some(work) = self.work.with(|place| unsafe { *place }) {
            call(work);
        }
    }
}

/// One turn of waiting.
pub(super) fn pause(turn: usize) {
    if turn < EAGER {
        spin_loop();
    } else {
        yield_now();
    }
}

/// Does something when it is dropped, also while a panic unwinds.
pub(super) struct AtLast<F: FnMut()>(pub(super) F);

impl<F: FnMut()> Drop for AtLast<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
