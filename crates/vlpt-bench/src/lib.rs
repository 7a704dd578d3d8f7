//! Published benchmarks as one command each.
//!
//! A [`Protocol`] says which tasks of the catalogue a benchmark is made of, which jobs it asks for and
//! what their scores are called in its tables; each is one file and one line of [`PROTOCOLS`]. [`find`]
//! looks for the tasks in whatever folders people hold, [`Request::plan`] opens them and makes the jobs,
//! and a study's executor does these: a bench folder is a study's folder with `bench.json` in it, so
//! that it goes on where it was interrupted, in parts, and on a cluster. [`collect`] makes `results.csv` of
//! what is there, and [`tables`] the tables that a paper has.

mod check;
mod error;
mod estimate;
mod file;
mod find;
mod method;
mod methods;
mod protocol;
mod reliability;
mod request;
mod results;
mod shared_lists;
mod submission;
mod tables;
mod ways;

pub use check::{Checked, State};
pub use error::{BenchError, Result};
pub use estimate::{Cost, Estimate, estimate};
pub use file::{BenchFile, UsedMethod};
pub use find::{Found, find};
pub use method::BenchMethod;
pub use methods::SearchKind;
pub use protocol::{Bench, PROTOCOLS, Protocol, Role, Wanted, protocol};
pub use reliability::{Reliability, ReliabilityPoint};
pub use request::{Planned, Request};
pub use results::{Collected, KeptAnswers, collect};
pub use submission::{Submitted, check_submission, submission};
pub use tables::{Tables, tables};
pub use ways::{Customary, Unsound, Ways};
