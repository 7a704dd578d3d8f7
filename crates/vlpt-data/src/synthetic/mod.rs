//! Synthetic tasks, whose images the program makes itself: for a first try without a download, for
//! tests, and for `vlpt demo`.
//!
//! Every picture is a pure function of (task, seed, split, index) and the same to the byte on every
//! machine: the arithmetic is that which IEEE 754 fixes, the random numbers are SplitMix64. The
//! pictures are small and cluttered on purpose, so that a weak CLIP fails on them with plain class
//! names and gains from tuning.
//!
//! One file makes one task.

mod backdrop;
mod canvas;
mod colours;
mod counts;
mod digits;
mod geometry;
pub(crate) mod image;
mod landscapes;
mod random;
mod recipe;
mod recipes;
mod shapes;
mod stripes;
mod task;
mod textures;

pub use canvas::SIDE;
pub use image::SyntheticImage;
pub use recipes::{PREFIX, name_in, names};
pub use task::{TEST_PER_CLASS, TRAIN_PER_CLASS, VAL_PER_CLASS, task};

#[cfg(test)]
mod tests;
