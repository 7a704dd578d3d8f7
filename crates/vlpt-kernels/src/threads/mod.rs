//! How work is shared among the threads of a pool.

mod parts;
mod sync;
mod team;
mod works;

use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use parts::{Parts, for_both_parts, for_parts};
use team::together;
pub use team::with_thread_team;

/// Calls `work` for each task, on the threads of the current pool. A thread starts with its own
/// share, the same of each work of as many tasks, so that it finds in its cache what it has left there; then
/// it goes on with what is left of others'.
pub(crate) fn for_tasks(tasks: usize, work: impl Fn(usize) + Sync) {
    let threads = rayon::current_num_threads().min(tasks);
    if threads <= 1 {
        return (0..tasks).for_each(work);
    }
    let shares: Vec<Share> = (0..threads)
        .map(|i| Share::new(i * tasks / threads..(i + 1) * tasks / threads))
        .collect();
    together(threads, &|| {
        let own = rayon::current_thread_index().unwrap_or(0);
        for turn in 0..threads {
            while let Some(task) = shares[(own + turn) % threads].next() {
                work(task);
            }
        }
    });
}

/// Tasks that one thread starts with. On a cache line of its own.
#[repr(align(64))]
struct Share {
    next: AtomicUsize,
    end: usize,
}

impl Share {
    fn new(tasks: std::ops::Range<usize>) -> Self {
        Self {
            next: AtomicUsize::new(tasks.start),
            end: tasks.end,
        }
    }

    /// A task that nobody has taken.
    fn next(&self) -> Option<usize> {
        let task = self.next.fetch_add(1, Ordering::Relaxed);
        (task < self.end).then_some(task)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(threads: usize) -> rayon::ThreadPool {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    }

    #[test]
    fn every_task_is_done_once() {
        for threads in [1, 2, 3, 8] {
            for tasks in [0, 1, 2, 7, 100] {
                let done: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                pool(threads).install(|| {
                    with_thread_team(|| {
                        for_tasks(tasks, |i| {
                            done[i].fetch_add(1, Ordering::Relaxed);
                        });
                    });
                });
                assert!(done.iter().all(|n| n.load(Ordering::Relaxed) == 1));
            }
        }
    }

    #[test]
    fn works_may_be_inside_of_works_and_beside_each_other() {
        for threads in [1, 2, 3, 8] {
            let done = AtomicUsize::new(0);
            let count = |_| {
                done.fetch_add(1, Ordering::Relaxed);
            };
            let pass = || {
                with_thread_team(|| {
                    for _ in 0..200 {
                        for_tasks(7, count);
                        with_thread_team(|| for_tasks(3, |_| for_tasks(5, count)));
                    }
                });
            };
            pool(threads).install(|| rayon::join(pass, pass));
            assert_eq!(done.into_inner(), 2 * 200 * (7 + 15));
        }
    }

    #[test]
    fn a_panic_of_one_task_ends_the_whole() {
        for broken in [1, 5] {
            let works = AtomicUsize::new(0);
            let pass = || {
                for _ in 0..1000 {
                    for_tasks(8, |_| ());
                    works.fetch_add(1, Ordering::Relaxed);
                }
                for_tasks(8, |i| assert!(i != broken, "task {broken}"));
            };
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                pool(2).install(|| with_thread_team(pass));
            }));
            let panic = result.expect_err("a task panics");
            let text = panic.downcast_ref::<String>().expect("a text");
            assert_eq!(
                (text.as_str(), works.into_inner()),
                (&*format!("task {broken}"), 1000)
            );
        }
    }
}
