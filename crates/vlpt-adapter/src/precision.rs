//! The number format of the towers as it is asked for.

use serde::{Deserialize, Serialize};
use vlpt_clip::Precision;

/// The number format of the towers as it is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionSetting {
    /// What the processor is fastest with: see [`Precision::fastest`]. A run replaces it by what
    /// that is when it starts.
    #[default]
    Auto,
    /// 32-bit floats, the reference.
    F32,
    /// Factors of products rounded to 16-bit floats.
    Bf16,
}

impl PrecisionSetting {
    /// The number format asked for; none where the choice is left open.
    pub fn named(self) -> Option<Precision> {
        match self {
            Self::Auto => None,
            Self::F32 => Some(Precision::F32),
            Self::Bf16 => Some(Precision::Bf16),
        }
    }

    /// The number format that this comes to on this machine.
    pub fn resolve(self) -> Precision {
        self.named().unwrap_or_else(Precision::fastest)
    }
}

impl From<Precision> for PrecisionSetting {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::Bf16 => Self::Bf16,
        }
    }
}
