//! Statistics of a study: means with intervals, correlation of matrices, relative gain.

mod correlate;
mod gain;

pub use correlate::{Correlation, TaskCorrelation, bootstrap_interval, correlate, correlate_seeds};
pub use gain::relative_gain;
pub use vlpt_tables::stats::{Summary, summary};
