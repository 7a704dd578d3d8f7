//! Who watches long work: the command line, a test, or nobody.

use vlpt_clip::Progress;

/// Watches long work. Phases come through [`Progress`]; everything else has a default that ignores
/// it. `()` is silence.
pub trait Observer: Progress {
    /// Something the user should know that is no error.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// Asked between steps: `true` ends the work as soon as nothing is lost by it.
    fn should_stop(&self) -> bool {
        false
    }
}

impl Observer for () {}
