//! What hostile input is fed to.
//!
//! A [`Target`] takes bytes of any kind and sends them through one door of the program: a decoder, a
//! reader, a parser. It panics where the door breaks its promise: a panic, an image of another size
//! than it says, an error that prints the file back, settings that do not survive being written.
//! `fuzz/` runs the targets under libFuzzer, with limits on time and memory; the tests of this crate
//! run the same functions over [seeds](Target::seeds), their [mutants](mutate) and stored inputs.

mod mutate;
mod parts;
mod promise;
mod scratch;
mod seeds;
mod targets;

pub use mutate::{Mutator, mutants};
pub use parts::{join, split};
pub use targets::TARGETS;

/// One door of the program.
pub struct Target {
    /// Its name, as `cargo fuzz` and the folders of inputs have it.
    pub name: &'static str,
    /// What it is, in one line.
    pub summary: &'static str,
    /// Sends bytes through it; says whether they were accepted.
    pub run: fn(&[u8]) -> bool,
    /// Small inputs that are accepted, or nearly: where mutation starts. The same at each call.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// The target of this name.
///
/// # Panics
/// If there is none.
pub fn target(name: &str) -> &'static Target {
    TARGETS
        .iter()
        .find(|target| target.name == name)
        .unwrap_or_else(|| panic!("no target is called {name}"))
}
