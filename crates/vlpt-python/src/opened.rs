//! A model found and loaded.

use vlpt_adapter::PrecisionSetting;
use vlpt_clip::{Clip, Hub};

use crate::errors::Failure;
use crate::work::Watch;

/// A number format by its name; none: as `VLPT_PRECISION` says, or what the processor is fastest with.
///
/// # Errors
/// Another name.
pub(crate) fn precision(name: Option<&str>) -> Result<PrecisionSetting, Failure> {
    let variable = std::env::var("VLPT_PRECISION").unwrap_or_default();
    match name.unwrap_or(&variable).to_lowercase().as_str() {
        "" | "auto" => Ok(PrecisionSetting::Auto),
        "f32" => Ok(PrecisionSetting::F32),
        "bf16" => Ok(PrecisionSetting::Bf16),
        other => Err(Failure::value(
            format!("precision={other}: expected auto, f32 or bf16"),
            "leave it out for what this processor is fastest with",
        )),
    }
}

/// Finds, downloads if need be, and loads a model.
///
/// # Errors
/// A model that is not found or cannot be read.
pub(crate) fn open_clip(
    name: &str,
    precision: PrecisionSetting,
    watch: &Watch,
) -> Result<Clip, Failure> {
    let files = Hub::from_env().resolve(&name.parse()?, watch)?;
    Ok(Clip::load_as(&files, precision.resolve())?)
}
