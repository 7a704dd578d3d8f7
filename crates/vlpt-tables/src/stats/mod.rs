//! What repeated measurements can tell.

mod holm;
mod permutation;
mod ranks;
mod summary;

pub use holm::holm;
pub use permutation::{Permutation, least_p, permutation_test, shown_p};
pub use ranks::{Ranks, friedman_ranks};
pub use summary::{Summary, summary};
