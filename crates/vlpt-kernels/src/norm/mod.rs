//! Layer normalisation over rows.

mod affine;
mod backward;
mod forward;
mod lanes;
mod standardize;

pub use affine::LayerNorm;
pub use standardize::Standardize;
