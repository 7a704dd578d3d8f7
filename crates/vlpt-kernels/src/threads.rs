//! How work is shared among the threads of a pool.
//!
//! A pass through a tower shares its work out dozens of times a block, each time for some hundred
//! microseconds. To put a thread to sleep in between and to wake it again would take a good part
//! of that.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::Yield;

/// Turns of a waiting thread that are over in an instant; after them it lets others run in between.
const EAGER: usize = 256;

/// Turns that a thread without work stays awake.
const PATIENCE: usize = 1 << 14;

/// Runs `work` on a thread of the current pool, while the others stay awake.
pub fn awake<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    rayon::scope(|scope| {
        let _last = AtLast(|| done.store(true, Ordering::Relaxed));
        let (busy, done) = (rayon::current_thread_index(), &done);
        for _ in 1..rayon::current_num_threads() {
            scope.spawn(move |_| {
                // one that came back to the thread it is not for must not hold it up
                if rayon::current_thread_index() != busy {
                    stay_awake(done);
                }
            });
        }
        work()
    })
}

/// Does what is to be done in the pool, until `done` or for as long as there is something.
fn stay_awake(done: &AtomicBool) {
    let mut idle = 0;
    while idle < PATIENCE && !done.load(Ordering::Relaxed) {
        if rayon::yield_now() == Some(Yield::Executed) {
            idle = 0;
        } else {
            pause(idle);
            idle += 1;
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

/// Calls `work` for each task, on the threads of the current pool. A thread starts with its own
/// share, the same of each work of as many tasks, so that it finds near what it has left there; then
/// it goes on with what is left of others'.
pub(crate) fn for_tasks(tasks: usize, work: impl Fn(usize) + Sync) {
    let threads = rayon::current_num_threads().min(tasks);
    if threads <= 1 {
        return (0..tasks).for_each(work);
    }
    let shares: Vec<Share> = (0..threads)
        .map(|i| Share::new(i * tasks / threads..(i + 1) * tasks / threads))
        .collect();
    let left = AtomicUsize::new(tasks);
    let take_part = || {
        let own = rayon::current_thread_index().unwrap_or(0);
        for turn in 0..threads {
            while let Some(task) = shares[(own + turn) % threads].next() {
                let _done = AtLast(|| {
                    left.fetch_sub(1, Ordering::Release);
                });
                work(task);
            }
        }
    };
    rayon::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|_| take_part());
        }
        take_part();
        // others are about to end their last task: not worth falling asleep
        for turn in 0.. {
            if left.load(Ordering::Acquire) == 0 {
                break;
            }
            pause(turn);
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

/// Does something when it is dropped, also while a panic unwinds.
struct AtLast<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtLast<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Parts of a slice, of one size but for the last, for several threads.
pub(crate) struct Parts<'a, T> {
    start: *mut T,
    length: usize,
    size: usize,
    life: PhantomData<&'a mut [T]>,
}

// SAFETY: all access is through `part`, whose callers promise that no part is in two hands at once.
unsafe impl<T: Send> Sync for Parts<'_, T> {}

impl<'a, T> Parts<'a, T> {
    /// # Panics
    /// When `size` is 0.
    pub(crate) fn new(whole: &'a mut [T], size: usize) -> Self {
        assert!(size > 0, "parts of nothing");
        Self {
            start: whole.as_mut_ptr(),
            length: whole.len(),
            size,
            life: PhantomData,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.length.div_ceil(self.size)
    }

    /// # Safety
    /// While the part is held, nobody else asks for it.
    ///
    /// # Panics
    /// When there is no such part.
    unsafe fn part(&self, index: usize) -> &'a mut [T] {
        assert!(index < self.count(), "a part outside a slice");
        let first = index * self.size;
        // SAFETY: inside the slice by the assertion, borrowed mutably for 'a by `new`, and not
        // aliased by the caller's promise.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.start.add(first),
                self.size.min(self.length - first),
            )
        }
    }
}

/// Calls `work` with the number of each part and the part.
pub(crate) fn for_parts<T: Send>(parts: &Parts<T>, work: impl Fn(usize, &mut [T]) + Sync) {
    // SAFETY: each task has its part, and each task is done once.
    for_tasks(parts.count(), |i| work(i, unsafe { parts.part(i) }));
}

/// Calls `work` with the number of each part and that part of both.
///
/// # Panics
/// When there are more parts of one than of the other.
pub(crate) fn for_both_parts<T: Send, U: Send>(
    first: &Parts<T>,
    second: &Parts<U>,
    work: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    assert_eq!(first.count(), second.count(), "parts of two slices");
    // SAFETY: as above.
    for_tasks(first.count(), |i| unsafe {
        work(i, first.part(i), second.part(i));
    });
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
                    awake(|| {
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
    fn parts_cover_a_slice() {
        let (mut numbers, mut halves) = (vec![0; 103], vec![0; 52]);
        for_both_parts(
            &Parts::new(&mut numbers, 10),
            &Parts::new(&mut halves, 5),
            |i, numbers, halves| {
                numbers.fill(i);
                halves.fill(i);
            },
        );
        assert!(numbers.iter().enumerate().all(|(i, part)| *part == i / 10));
        assert!(halves.iter().enumerate().all(|(i, part)| *part == i / 5));
    }

    #[test]
    fn a_panic_of_one_task_ends_the_whole() {
        let result = std::panic::catch_unwind(|| {
            pool(2).install(|| awake(|| for_tasks(8, |i| assert!(i != 5, "task 5"))));
        });
        assert!(result.is_err());
    }

    #[test]
    fn a_thread_that_finds_nothing_to_do_falls_asleep() {
        stay_awake(&AtomicBool::new(false));
    }
}
