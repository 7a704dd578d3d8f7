//! A gradient of the residual stream.

use vlpt_kernels::{Arena, Buffer, Matrix, Operand, Precision};

/// Rows of a gradient as floats, in which it is summed, and as the layers read it.
#[derive(Debug)]
pub(crate) struct Gradient {
    floats: Buffer<f32>,
    /// The same rounded, where layers compute in another format.
    rounded: Option<Matrix>,
}

impl Gradient {
    pub(crate) fn new(
        arena: &Arena,
        precision: Precision,
        width: usize,
        floats: Buffer<f32>,
    ) -> Self {
        let mut gradient = Self::unrounded(arena, precision, width, floats);
        if let Some(rounded) = &mut gradient.rounded {
            rounded.set(&gradient.floats);
        }
        gradient
    }

    /// Without a value for the layers yet: what changes the floats next writes it.
    pub(crate) fn unrounded(
        arena: &Arena,
        precision: Precision,
        width: usize,
        floats: Buffer<f32>,
    ) -> Self {
        let rows = floats.len() / width;
        let rounded = match precision {
            Precision::F32 => None,
            Precision::Bf16 => Some(Matrix::new(arena, precision, rows, width)),
        };
        Self { floats, rounded }
    }

    pub(crate) fn floats(&self) -> &[f32] {
        &self.floats
    }

    /// As the left-hand side of a layer's backward product.
    pub(crate) fn operand(&self) -> Operand<'_> {
        match &self.rounded {
            Some(rounded) => rounded.operand(),
            None => Operand::F32(&self.floats),
        }
    }

    /// Both forms, to be written together.
    pub(crate) fn parts(&mut self) -> (&mut [f32], Option<&mut Matrix>) {
        (&mut self.floats, self.rounded.as_mut())
    }
}
