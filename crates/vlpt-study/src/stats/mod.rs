//! Statistics of a study: means with intervals, rank correlation, relative gain.

mod correlate;
mod rank;
mod seeds;
mod student;

pub use correlate::{Correlation, TaskCorrelation, bootstrap_interval, correlate, correlate_seeds};
pub use rank::{pearson, ranks, spearman};
pub use seeds::{Summary, relative_gain, summary};
pub use student::student_t_quantile;
