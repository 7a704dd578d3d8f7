//! Layer normalisation over rows.

mod affine;
mod lanes;
mod row;
mod standardize;

pub use affine::LayerNorm;
pub use standardize::Standardize;
