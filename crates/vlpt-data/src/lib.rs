//! Image decoding and preprocessing, data set readers, the catalogue of benchmarks, few-shot sampling

pub mod archive;
mod broken;
pub mod catalogue;
pub mod check;
mod error;
pub mod fewshot;
mod format;
pub mod image;
mod metric;
mod provenance;
pub mod readers;
pub mod rng;
mod sample;
mod split_name;
pub mod synthetic;
mod task;

pub use broken::{BrokenImages, LeftOut, leave_out};
pub use error::{DataError, LayoutError, Result};
pub use fewshot::{FewShotRule, Shots, Subset, few_shot, few_shot_of};
pub use format::{Format, UnknownFormat};
pub use metric::Metric;
pub use provenance::{MadeSplit, Provenance};
pub use readers::{OpenOptions, open};
pub use rng::CPython;
pub use sample::{ImageRef, Sample};
pub use task::{Split, Task};
