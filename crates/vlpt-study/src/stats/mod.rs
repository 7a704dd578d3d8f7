//! Statistics of a study: means with intervals, correlation of matrices, relative gain.

mod correlate;
mod seeds;

pub use correlate::{Correlation, TaskCorrelation, bootstrap_interval, correlate, correlate_seeds};
pub use seeds::{Summary, relative_gain, summary};
