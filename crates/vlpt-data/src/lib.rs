//! Image decoding and preprocessing, data set readers, the catalogue of benchmarks, few-shot sampling

pub mod archive;
pub mod catalogue;
pub mod check;
mod error;
pub mod fewshot;
pub mod image;
pub mod readers;
pub mod rng;
pub mod synthetic;
pub mod task;

pub use error::{DataError, Result};
pub use fewshot::{FewShotRule, Shots, Subset, few_shot, few_shot_of};
pub use readers::{LayoutError, OpenOptions, open};
pub use rng::CPython;
pub use task::{Format, ImageRef, MadeSplit, Metric, Provenance, Sample, Split, Task};
