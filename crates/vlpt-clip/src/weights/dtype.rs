//! Number formats of stored tensors and their conversion to f32.

use half::{bf16, f16};

/// How a stored number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dtype {
    /// IEEE single.
    F32,
    /// IEEE half.
    F16,
    /// The upper half of an IEEE single.
    Bf16,
    /// IEEE double, rounded to f32 when read.
    F64,
    /// Something weights are never made of: its name and the bytes of one number.
    Other(&'static str, usize),
}

impl Dtype {
    /// Bytes of one number.
    pub(crate) fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::F64 => 8,
            Self::Other(_, size) => size,
        }
    }

    /// The usual short name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F64 => "f64",
            Self::Other(name, _) => name,
        }
    }

    /// Whether the numbers can be weights.
    pub(crate) fn is_float(self) -> bool {
        !matches!(self, Self::Other(..))
    }

    /// Appends little-endian numbers to `out` as f32; a rest shorter than a number is left out.
    /// Types that are no floats add nothing.
    pub(crate) fn decode(self, bytes: &[u8], out: &mut Vec<f32>) {
        match self {
            Self::F32 => out.extend(
                bytes
                    .as_chunks::<4>()
                    .0
                    .iter()
                    .map(|chunk| f32::from_le_bytes(*chunk)),
            ),
            Self::F16 => out.extend(
                bytes
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|chunk| f16::from_le_bytes(*chunk).to_f32()),
            ),
            Self::Bf16 => out.extend(
                bytes
                    .as_chunks::<2>()
                    .0
                    .iter()
                    .map(|chunk| bf16::from_le_bytes(*chunk).to_f32()),
            ),
            Self::F64 => out.extend(
                bytes
                    .as_chunks::<8>()
                    .0
                    .iter()
                    .map(|chunk| f64::from_le_bytes(*chunk) as f32),
            ),
            Self::Other(..) => {}
        }
    }
}
