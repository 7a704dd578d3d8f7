//! Image decoding and preprocessing, data set readers, the catalogue of benchmarks, few-shot sampling

pub mod archive;
mod broken;
pub mod catalogue;
pub mod check;
mod class_subset;
mod error;
pub mod fewshot;
mod format;
mod halves;
pub mod image;
mod inside;
pub mod junk;
mod label_from_name;
mod label_separator;
mod metric;
mod provenance;
mod quiet;
pub mod readers;
pub mod rng;
mod sample;
mod split_name;
pub mod synthetic;
mod task;

pub use broken::{BrokenImages, count_images, leave_out};
pub use class_subset::ClassSubset;
pub use error::{DataError, LayoutError, ListError, Result};
pub use fewshot::{FewShotList, FewShotRule, Shots, Subset, few_shot, few_shot_of, write_list};
pub use format::{Format, UnknownFormat};
pub use label_from_name::{LabelFromName, UnknownNamePart};
pub use label_separator::{LabelSeparator, UnknownSeparator};
pub use metric::Metric;
pub use provenance::{LeftOut, MadeSplit, Provenance, WholeLabels};
pub use readers::{DataSetting, OpenOptions, check_settings, open};
pub use rng::CPython;
pub use sample::{ImageRef, Sample};
pub use task::{Split, Task};
