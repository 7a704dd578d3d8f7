//! f32 weights, held by the best kernel of the processor.

use super::Epilogue;
use super::gemm_f32::GemmF32;
#[cfg(target_arch = "x86_64")]
use super::packed_f32::PackedF32;

#[derive(Debug)]
pub(super) enum F32Weights {
    Gemm(GemmF32),
    #[cfg(target_arch = "x86_64")]
    Packed(PackedF32),
}

impl F32Weights {
    /// Weights (outputs x inputs) for the best kernel of the current level.
    pub(super) fn new(inputs: usize, outputs: usize, weight: Vec<f32>) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(packed) = PackedF32::new(crate::Isa::current(), inputs, outputs, &weight) {
            return Self::Packed(packed);
        }
        Self::Gemm(GemmF32::new(inputs, outputs, weight))
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Gemm(weights) => weights.bytes(),
            #[cfg(target_arch = "x86_64")]
            Self::Packed(weights) => weights.bytes(),
        }
    }

    /// `y = x W^T`, or `y += x W^T`, then `epilogue` on each part of each row.
    pub(super) fn forward(&self, x: &[f32], y: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        match self {
            Self::Gemm(weights) => weights.forward(x, y, add, epilogue),
            #[cfg(target_arch = "x86_64")]
            Self::Packed(weights) => weights.forward(x, y, add, epilogue),
        }
    }

    /// `dx = dy W`, or `dx += dy W`, then `epilogue` on each part of each row.
    pub(super) fn backward(&self, dy: &[f32], dx: &mut [f32], add: bool, epilogue: &impl Epilogue) {
        match self {
            Self::Gemm(weights) => weights.backward(dy, dx, add, epilogue),
            #[cfg(target_arch = "x86_64")]
            Self::Packed(weights) => weights.backward(dy, dx, add, epilogue),
        }
    }
}
