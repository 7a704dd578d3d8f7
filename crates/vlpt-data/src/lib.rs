//! Image decoding and preprocessing, data set readers, the catalogue of benchmarks, few-shot sampling

mod error;
pub mod image;

pub use error::{DataError, Result};
