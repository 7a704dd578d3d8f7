//! The lowest layer: what every other crate may use, and what knows none of them.
//!
//! - [`random`]: one generator, the same numbers on every machine;
//! - [`stats`]: ranks, correlations, percentiles, Student's t;
//! - [`cache`]: where what can be made again is kept;
//! - [`files`]: files and folders that are whole or absent; [`atomic_file`]: one written bit by bit;
//! - [`hash`]: SHA-256 as text, and seeds derived from it;
//! - [`list`]: lists in messages, as long as somebody reads them;
//! - [`pickle`]: Python's pickles, read without running anything;
//! - [`memo`]: values that many threads use and one makes;
//! - [`shell`]: words of a command as a shell reads them.

pub mod atomic_file;
pub mod cache;
pub mod files;
pub mod hash;
pub mod list;
pub mod memo;
pub mod pickle;
mod place;
pub mod random;
pub mod shell;
pub mod stats;
