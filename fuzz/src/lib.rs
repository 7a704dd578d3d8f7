//! The one line that every binary is made of.

/// Makes libFuzzer's entry of a target of `vlpt-fuzz`.
///
/// libFuzzer's own hook ends the process at any panic. Some decoders' panics are caught on purpose
/// and told as an error, so the hook is taken away: a panic that nobody catches still ends the run. One
/// empty input comes first, so that what is loaded once counts for no input's time.
#[macro_export]
macro_rules! entry {
    ($name:literal) => {
        static TARGET: std::sync::LazyLock<&vlpt_fuzz::Target> =
            std::sync::LazyLock::new(|| vlpt_fuzz::target($name));

        libfuzzer_sys::fuzz_target!(init: {
            let _ = std::panic::take_hook();
            let _ = (TARGET.run)(b"");
        }, |data: &[u8]| {
            (TARGET.run)(data);
        });
    };
}
