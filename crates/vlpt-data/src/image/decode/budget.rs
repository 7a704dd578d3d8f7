//! Memory for decoding is one budget of the whole process: a thread whose image needs more than is left waits for
//! others to finish.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Bytes for all images being decoded at once, where nobody says another number: what one image may take.
pub const DEFAULT_MEMORY_BUDGET: u64 = 2 << 30;

/// A budget of bytes that threads take shares of.
#[derive(Debug)]
struct Budget {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug)]
struct State {
    total: u64,
    /// What `total` never goes above, whoever sets it.
    most: u64,
    taken: u64,
}

impl State {
    fn allows(&self, bytes: u64) -> bool {
        self.taken.saturating_add(bytes) <= self.total.min(self.most)
    }
}

static BUDGET: Budget = Budget::new(DEFAULT_MEMORY_BUDGET);

/// Sets the bytes that all images being decoded at once may hold together, file contents not counted. One image that
/// needs more than all of it is decoded alone, as far as its own [`Limits`](super::Limits) let it.
pub fn set_memory_budget(bytes: u64) {
    BUDGET.set_total(bytes);
}

/// Sets the bytes that no budget goes above: what [`set_memory_budget`] says counts as far as this lets it. For whoever
/// runs the program, over what a configuration asks for.
pub fn set_memory_ceiling(bytes: u64) {
    BUDGET.set_most(bytes);
}

/// A share of the process's budget, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    budget: &'static Budget,
    bytes: u64,
}

impl Share {
    /// Takes so many bytes; waits until they are free. Whoever holds a share never asks for another before giving it
    /// back, so somebody always goes on.
    pub(super) fn take(bytes: u64) -> Self {
        BUDGET.take(bytes)
    }

    /// Gives back all but so many bytes.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.bytes -= less;
        self.budget.give_back(less);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

impl Budget {
    const fn new(total: u64) -> Self {
        Self {
            state: Mutex::new(State {
                total,
                most: u64::MAX,
                taken: 0,
            }),
            freed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_total(&self, bytes: u64) {
        self.lock().total = bytes;
        self.freed.notify_all();
    }

    fn set_most(&self, bytes: u64) {
        self.lock().most = bytes;
        self.freed.notify_all();
    }

    fn take(&'static self, bytes: u64) -> Share {
        let mut state = self.lock();
        // An image that is too large for the budget goes when it is alone.
        while state.taken > 0 && !state.allows(bytes) {
            state = self
                .freed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        state.taken += bytes;
        Share {
            budget: self,
            bytes,
        }
    }

    fn give_back(&self, bytes: u64) {
        if bytes > 0 {
            self.lock().taken -= bytes;
            self.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    fn budget(total: u64) -> &'static Budget {
        Box::leak(Box::new(Budget::new(total)))
    }

    #[test]
    fn threads_never_hold_more_than_the_budget() {
        let budget = budget(100);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (held, most) = (&held, &most);
                scope.spawn(move || {
                    for round in 0..200 {
                        let bytes = 10 + (thread * 37 + round * 11) % 60;
                        let mut share = budget.take(bytes);
                        most.fetch_max(
                            held.fetch_add(bytes, Ordering::SeqCst) + bytes,
                            Ordering::SeqCst,
                        );
                        std::thread::yield_now();
                        held.fetch_sub(bytes - 5, Ordering::SeqCst);
                        share.shrink(5);
                        held.fetch_sub(5, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!(most <= 100, "{most}");
        assert!(most > 70, "no two at once: {most}");
        assert_eq!(budget.lock().taken, 0);
    }

    #[test]
    fn what_is_larger_than_the_budget_goes_alone() {
        let budget = budget(10);
        let large = budget.take(1000);
        let other = std::thread::spawn(move || drop(budget.take(1)));
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!other.is_finished());
        drop(large);
        other.join().unwrap();
        assert_eq!(budget.lock().taken, 0);
    }

    #[test]
    fn a_ceiling_holds_whatever_the_budget_says() {
        let budget = budget(100);
        budget.set_most(10);
        budget.set_total(1000);
        let first = budget.take(8);
        let other = std::thread::spawn(move || drop(budget.take(8)));
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!other.is_finished());
        budget.set_most(20);
        other.join().unwrap();
        drop(first);
        budget.set_total(4);
        let first = budget.take(3);
        let other = std::thread::spawn(move || drop(budget.take(3)));
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!other.is_finished(), "the smaller one holds");
        drop(first);
        other.join().unwrap();
    }

    #[test]
    fn a_share_comes_back_when_its_holder_panics() {
        let budget = budget(10);
        let outcome = std::panic::catch_unwind(|| {
            let _share = budget.take(10);
            std::panic::resume_unwind(Box::new(()));
        });
        assert!(outcome.is_err());
        drop(budget.take(10));
    }
}
