//! Tables of results over methods, tasks and seeds.
//!
//! [`Results`] is what was measured: a value in percent for each task, method, number of shots and
//! seed. [`Comparison`] sums it up: means with intervals over seeds, averages over tasks, ranks, and
//! tests between methods ([`stats`]). [`Table`] writes rows as CSV, Markdown, LaTeX or HTML.

pub mod answers;
mod columns;
mod comparison;
mod error;
mod format;
pub mod published;
mod results;
pub mod stats;

pub use columns::{Column, Columns};
pub use comparison::{Average, Comparison, Pair, Ranking};
pub use error::{Result, TablesError};
pub use format::{Format, Table};
pub use results::{Results, SCORE, Score};
