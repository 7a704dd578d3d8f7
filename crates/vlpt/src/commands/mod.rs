//! One file a command: read the flags, call the library, print.

pub(crate) mod average;
pub(crate) mod bench;
pub(crate) mod compare;
pub(crate) mod data;
pub(crate) mod doctor;
pub(crate) mod embed;
pub(crate) mod eval;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod merge;
pub(crate) mod methods;
pub(crate) mod model;
pub(crate) mod multitask;
pub(crate) mod predict;
pub(crate) mod preprocess;
#[cfg(feature = "serve")]
pub(crate) mod serve;
pub(crate) mod study;
pub(crate) mod tokenize;
pub(crate) mod train;
pub(crate) mod tune;
pub(crate) mod zeroshot;
