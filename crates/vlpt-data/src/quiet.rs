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
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        #[cfg(test)]
        tests::rehearse();
        work()
    }));
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
pub(crate) mod tests {
    use std::io::Write;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::archive::{Root, ZipArchive};
    use crate::image::{DecodeOptions, decode_with, facts};

    thread_local! {
        /// Whether the libraries that this thread calls are to panic.
        static PANICKING: Cell<bool> = const { Cell::new(false) };
    }

    /// The panic of a library, where the test asks for it.
    pub(super) fn rehearse() {
        assert!(!PANICKING.get(), "the panic of a library");
    }

    /// Runs `work` with all libraries that this thread calls through [`catch`] panicking at once.
    pub(crate) fn with_panicking_libraries<T>(work: impl FnOnce() -> T) -> T {
        PANICKING.set(true);
        let outcome = work();
        PANICKING.set(false);
        outcome
    }

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

    /// An image of one grey pixel, and the beginning of a PNG that asks for a turn.
    const GREY: &[u8] = b"P5 1 1 255 x";
    const TURNED: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x1aeXIfMM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0\0\0\0\0";

    #[test]
    fn a_decoder_that_panics_is_a_damaged_image_and_a_reader_of_turns_none() {
        let decoded = || decode_with(GREY, "a.pgm", &DecodeOptions::default());
        assert!(decoded().is_ok());
        let error = with_panicking_libraries(decoded).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.pgm: damaged PNM image: the decoder gave up"
        );
        let turn = || facts(TURNED).map(|facts| facts.orientation);
        assert_eq!(turn(), Some(6));
        assert_eq!(with_panicking_libraries(turn), Some(1));
    }

    #[test]
    fn a_reader_of_zips_that_panics_is_a_damaged_archive() {
        let dir = tempfile::tempdir().unwrap();
        let file = fs_err::File::create(dir.path().join("a.zip")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("1.pgm", options).unwrap();
        zip.write_all(GREY).unwrap();
        zip.finish().unwrap();
        let root = Root::open(dir.path()).unwrap();
        let told = ": cannot be read as zip: the library that reads it gave up";
        let error = with_panicking_libraries(|| ZipArchive::open(&root, "a.zip")).unwrap_err();
        assert_eq!(error.to_string(), format!("a.zip{told}"));
        let zip = ZipArchive::open(&root, "a.zip").unwrap();
        assert_eq!(zip.read(0).unwrap(), GREY);
        let error = with_panicking_libraries(|| zip.read(0)).unwrap_err();
        assert_eq!(error.to_string(), format!("a.zip@1.pgm{told}"));
    }
}
