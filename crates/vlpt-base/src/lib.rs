//! The lowest layer: what every other crate may use, and what knows none of them.
//!
//! - [`random`]: one generator, the same numbers on every machine;
//! - [`stats`]: ranks, correlations, percentiles, Student's t;
//! - [`cache`]: where what can be made again is kept;
//! - [`files`]: files and folders that are whole or absent;
//! - [`hash`]: SHA-256 as text, and seeds derived from it;
//! - [`memo`]: values that many threads use and one makes.

pub mod cache;
pub mod files;
pub mod hash;
pub mod memo;
pub mod random;
pub mod stats;
