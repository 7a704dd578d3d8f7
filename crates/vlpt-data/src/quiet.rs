//! Panics inside libraries that read what others wrote, caught without a word on standard error.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// Whether this thread is inside such a library.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; `None` where it panicked. The panic hook of the program is called for panics of other threads and of
/// other code only, so that nothing but the error is told.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if !INSIDE.get() {
                before(panic);
            }
        }));
    });
    let outer = INSIDE.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    INSIDE.set(outer);
    outcome.ok()
}

/// Makes this thread one whose panics are not told, for good: a thread that works for decoders alone, inside
/// [`catch`] of another.
#[cfg(feature = "heic")]
pub(crate) fn mute() {
    INSIDE.set(true);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_panic_is_caught_and_the_programs_hook_is_not_called() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        const WORDS: &str = "seen by the hook of this test";
        let before = take_hook();
        set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() == Some(&WORDS) {
                CALLS.fetch_add(1, Ordering::SeqCst);
            } else {
                before(panic);
            }
        }));
        assert_eq!(catch(|| 7), Some(7));
        // Whichever hook lies on top, it is not reached from inside.
        assert_eq!(catch(|| std::panic::panic_any(WORDS)), None::<()>);
        assert!(!INSIDE.get());
        let other = std::thread::spawn(|| std::panic::panic_any(WORDS));
        assert!(other.join().is_err());
        assert!(CALLS.load(Ordering::SeqCst) >= 1, "others are told");
    }
}
