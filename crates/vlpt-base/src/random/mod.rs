//! Random numbers that are the same on every machine and in every run.
//!
//! [`SplitMix64`] is the generator; [`Stream`] is a generator named by a seed and a purpose, with
//! normal and uniform values. Few-shot samples do not come from here: they follow the generator
//! of published code.

mod split_mix;
mod stream;

pub use split_mix::SplitMix64;
pub use stream::Stream;
