//! Statistics of a few numbers. Every sum goes in the order of its values.

mod correlation;
mod normal;
mod percentile;
mod student;

pub use correlation::{pearson, ranks, spearman};
pub use normal::normal_quantile;
pub use percentile::percentile;
pub use student::student_t_quantile;
