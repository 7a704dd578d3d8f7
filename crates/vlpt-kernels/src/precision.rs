//! The number formats, and which of them a processor is fastest with.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Isa;

/// The number format in which a tower's products are computed. Sums are f32 in both, and so are
/// the residual stream, layer norm and softmax.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floats: the reference.
    F32,
    /// Factors rounded to 16-bit floats with 8 bits of precision.
    Bf16,
}

impl Precision {
    /// What the kernels of the current level are fastest with: bf16 in tiles, else f32 (AVX-512's own
    /// products of bf16 were half as fast as f32 where they were measured). Every processor
    /// computes in both.
    pub fn fastest() -> Self {
        if Isa::current() == Isa::Amx {
            Self::Bf16
        } else {
            Self::F32
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}
