//! Rows of the image tower as they are kept: in f32, or in f16 where that is exact enough.

use std::borrow::Cow;

use half::f16;
use half::slice::HalfFloatSliceExt;
use vlpt_clip::Precision;

use super::View;

/// Rows in the number format that they are kept in.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum KeptRows {
    /// As the tower gives them.
    Single(Vec<f32>),
    /// Rounded.
    Half(Vec<f16>),
}

/// Whether rows of a view are rounded to f16, whether or not they are kept.
///
/// Exact enough is what is well below the rounding that the rows have seen already: a tower whose
/// products are in bf16, with 8 bits, rounded far more in each block than f16 does with 11. Views
/// that are only trained on are rounded, of which there are hundreds; the evaluation view never is,
/// for what is predicted should not depend on how it was kept. An f32 tower's rows stay as they are.
pub(super) fn rounded(view: View, precision: Precision) -> bool {
    precision == Precision::Bf16 && matches!(view, View::Random { .. })
}

impl KeptRows {
    /// Rows as they are kept; a number beyond f16 keeps all of them in f32.
    pub(super) fn new(rows: Vec<f32>, rounded: bool) -> Self {
        if !rounded {
            return Self::Single(rows);
        }
        let halves: Vec<f16> = rows.iter().map(|&value| f16::from_f32(value)).collect();
        if halves.iter().all(|half| half.is_finite()) {
            Self::Half(halves)
        } else {
            Self::Single(rows)
        }
    }

    /// The values.
    pub(super) fn values(&self) -> Cow<'_, [f32]> {
        match self {
            Self::Single(rows) => Cow::Borrowed(rows),
            Self::Half(halves) => Cow::Owned(halves.to_f32_vec()),
        }
    }

    /// The values, without a copy where they are f32.
    pub(super) fn into_values(self) -> Vec<f32> {
        match self {
            Self::Single(rows) => rows,
            Self::Half(halves) => halves.to_f32_vec(),
        }
    }

    /// Bytes of memory.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Single(rows) => rows.len() * size_of::<f32>(),
            Self::Half(halves) => halves.len() * size_of::<f16>(),
        }
    }

    /// The number format's name in a file, and the values as they stand there, little endian.
    pub(super) fn stored(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self::Single(rows) => ("F32", rows.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Self::Half(halves) => ("F16", halves.iter().flat_map(|v| v.to_le_bytes()).collect()),
        }
    }

    /// From what stands in a file of that number format; none for another one.
    pub(super) fn read(format: safetensors::Dtype, bytes: &[u8]) -> Option<Self> {
        match format {
            safetensors::Dtype::F32 => {
                let (values, _) = bytes.as_chunks::<4>();
                let rows = values.iter().map(|&value| f32::from_le_bytes(value));
                Some(Self::Single(rows.collect()))
            }
            safetensors::Dtype::F16 => {
                let (values, _) = bytes.as_chunks::<2>();
                let halves = values.iter().map(|&value| f16::from_le_bytes(value));
                Some(Self::Half(halves.collect()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use vlpt_data::image::Augment;

    use super::*;

    #[test]
    fn only_views_that_a_bf16_tower_is_trained_on_are_rounded() {
        let random = View::Random {
            augment: Augment::default(),
            seed: 0,
            number: 0,
        };
        assert!(rounded(random, Precision::Bf16));
        assert!(!rounded(random, Precision::F32));
        assert!(!rounded(View::Centre, Precision::Bf16));
    }

    #[test]
    fn a_rounded_row_moves_by_a_half_of_its_last_bit_at_most_and_takes_half_the_bytes() {
        let rows: Vec<f32> = (1..=100).map(|i| 1.0 / i as f32 - 0.2).collect();
        let half = KeptRows::new(rows.clone(), true);
        assert_eq!(half.bytes(), 200);
        for (a, b) in rows.iter().zip(half.values().iter()) {
            assert!(
                (a - b).abs() <= a.abs().max(f32::from(f16::MIN_POSITIVE)) / 2048.0,
                "{a} {b}"
            );
        }
        assert_ne!(*half.values(), rows);
        assert_eq!(
            KeptRows::new(half.values().into_owned(), true),
            half,
            "once is enough"
        );
        assert_eq!(KeptRows::new(rows.clone(), false).values(), rows);
        let beyond = vec![1e5, 0.1];
        assert_eq!(
            KeptRows::new(beyond.clone(), true),
            KeptRows::Single(beyond)
        );
    }
}
