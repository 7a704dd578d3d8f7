//! The works of a thread team under loom: every order of steps that the memory model allows, of one
//! thread that leads and others that join, or come too late.
//!
//! The code is that of `src/threads/works.rs`, with loom's atomics and cells in the place of the
//! standard library's. loom ends the test where two threads reach a cell at once without order
//! between them.
#![cfg(test)]

mod sync {
    pub(super) use loom::cell::UnsafeCell;
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};
    pub(super) use loom::thread::yield_now;
}

#[path = "../../src/threads/works.rs"]
mod works;

use loom::cell::Cell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use works::Works;

/// Slots for what threads write in a work; whoever claims one has it alone.
struct Slots {
    next: AtomicUsize,
    values: [Cell<u32>; 3],
}

// SAFETY: a slot is reached by the thread that claimed it, and by the one that leads when nobody is
// in the work; that this is so is what loom checks.
unsafe impl Sync for Slots {}
unsafe impl Send for Slots {}

impl Slots {
    fn new() -> Self {
        Self {
            next: AtomicUsize::new(0),
            values: [Cell::new(0), Cell::new(0), Cell::new(0)],
        }
    }

    fn write(&self, value: u32) {
        let slot = self.next.fetch_add(1, Ordering::Relaxed);
        self.values[slot].set(value);
    }

    /// What was written, read by the thread that leads; the slots are free again.
    fn take(&self) -> Vec<u32> {
        let written = self.next.load(Ordering::Relaxed);
        let values = self.values[..written].iter().map(Cell::get).collect();
        self.next.store(0, Ordering::Relaxed);
        values
    }
}

/// `works` works of one thread, while `others` try `tries` times each to take part. Every order is
/// tried in which a thread is interrupted at most `interruptions` times where it could have gone on;
/// without a number every order, which takes hours for three threads.
fn team(works: u32, others: usize, tries: usize, interruptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = interruptions;
    model.check(move || {
        let team = Arc::new(Works::new());
        let slots = Arc::new(Slots::new());
        let threads: Vec<_> = (0..others)
            .map(|_| {
                let team = Arc::clone(&team);
                thread::spawn(move || {
                    for _ in 0..tries {
                        team.take_part(|work| work());
                    }
                })
            })
            .collect();
        for number in 1..=works {
            // lives on this thread's stack: whoever called it later would read what is gone
            let value = Cell::new(number);
            let value = &Shared(value);
            team.run(&|| slots.write(value.get()));
            let written = slots.take();
            assert!(!written.is_empty() && written.iter().all(|value| *value == number));
        }
        assert_eq!(team.number(), u64::from(works));
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

/// A cell that is only read while it is shared.
struct Shared(Cell<u32>);

// SAFETY: written before it is shared.
unsafe impl Sync for Shared {}

impl Shared {
    fn get(&self) -> u32 {
        self.0.get()
    }
}

#[test]
fn one_other_joins_two_works_or_comes_too_late() {
    team(2, 1, 2, None);
}

#[test]
fn two_others_join_one_work() {
    team(1, 2, 1, Some(5));
}

#[test]
fn two_others_and_two_works() {
    team(2, 2, 1, Some(3));
}
