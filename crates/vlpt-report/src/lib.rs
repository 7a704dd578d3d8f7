//! Self-contained HTML reports and SVG figures.
//!
//! A report is one file without network, fonts or scripts: it can be mailed, printed, and read in
//! ten years. Everything shown as a figure is also given as numbers in a table. The figures are
//! pure functions from numbers to an SVG document ([`svg`]) and stand on their own in a paper.
//!
//! The crate knows nothing of models or trainers; callers fill plain structs with what they
//! measured, and every text is escaped here.

mod data;
mod demo;
mod error;
mod escape;
mod file;
mod glyphs;
mod heat;
mod page;
mod picture;
mod run;
mod sections;
pub mod study;
pub mod svg;
mod tune;

pub use data::{
    Confusion, Curve, CurvePoint, Example, Fact, Interval, KeyNumber, TaskResult, percent,
};
pub use demo::{DemoReport, MultitaskSection, TaskSection};
pub use error::{ReportError, Result};
pub use heat::AttentionPicture;
pub use picture::Picture;
pub use run::RunReport;
pub use study::StudyReport;
pub use tune::{Gallery, Growth, Photo, TriedMethod, TuneReport};
