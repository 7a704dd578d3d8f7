//! Frozen linear layers.

mod bf16;
mod epilogue;
mod f32_weights;
mod gemm_f32;
#[cfg(target_arch = "x86_64")]
mod micro_f32;
#[cfg(target_arch = "x86_64")]
mod packed_f32;
#[cfg(target_arch = "x86_64")]
mod panels;

use crate::matrix::{Matrix, Operand};
use crate::tile::TILE_COLUMNS;
use crate::{Activation, Precision};
use bf16::PackedBf16;
use bf16::epilogue as rounded;
use epilogue::{Activate, ActivateInPlace, AddBias, DerivativeInPlace, Scale};
use f32_weights::F32Weights;

/// `y = x W^T + b` with frozen `W` (outputs x inputs) and `b`, and its gradient to the input.
///
/// The weights are held in the layout of the kernel that computes with them; nothing outside this
/// module knows which kernel that is. What a layer reads is in its own number format; what it
/// writes is either in that format, for the next layer, or f32, for the residual stream.
#[derive(Debug)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    /// Empty, or followed by zeros up to whole blocks of columns.
    bias: Vec<f32>,
    weights: Weights,
}

/// The kernels; each holds the weights in its own layout.
#[derive(Debug)]
enum Weights {
    F32(F32Weights),
    Bf16(PackedBf16),
}

/// What becomes of the products of one row, for the outputs `first..first + row.len()`.
trait Epilogue: Sync {
    /// `row`: the products, to be replaced by the result.
    fn apply(&self, row_index: usize, first: usize, row: &mut [f32]);
}

const FORMATS: &str = "the operands of a layer are in its own number format";

impl Linear {
    /// `weight`: outputs x inputs; `bias`: outputs.
    ///
    /// # Panics
    /// When the lengths do not fit, or a size is 0.
    pub fn new(
        precision: Precision,
        inputs: usize,
        outputs: usize,
        weight: Vec<f32>,
        bias: Option<Vec<f32>>,
    ) -> Self {
        assert!(inputs > 0 && outputs > 0, "an empty linear layer");
        assert_eq!(weight.len(), inputs * outputs, "weight of a linear layer");
        let bias = bias.map_or_else(Vec::new, |mut bias| {
            assert_eq!(bias.len(), outputs, "bias of a linear layer");
            bias.resize(outputs.next_multiple_of(TILE_COLUMNS), 0.0);
            bias
        });
        let weights = match precision {
            Precision::F32 => Weights::F32(F32Weights::new(inputs, outputs, weight)),
            Precision::Bf16 => Weights::Bf16(PackedBf16::new(inputs, outputs, &weight)),
        };
        Self {
            inputs,
            outputs,
            bias,
            weights,
        }
    }

    /// Length of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Length of an output row.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Bytes of the weights as they are held.
    pub fn bytes(&self) -> usize {
        let weights = match &self.weights {
            Weights::F32(weights) => weights.bytes(),
            Weights::Bf16(weights) => weights.bytes(),
        };
        weights + size_of_val(self.bias.as_slice())
    }

    /// `y = x W^T + b`; `x`: rows x inputs, `y`: rows x outputs.
    ///
    /// # Panics
    /// When the sizes or the number formats do not fit; so do all products below.
    pub fn forward(&self, x: Operand, y: &mut Matrix) {
        self.check(x, (y.rows(), y.width()), (self.inputs, self.outputs));
        match (&self.weights, x) {
            (Weights::F32(weights), Operand::F32(x)) => {
                weights.forward(x, y.floats_mut(), false, &AddBias(&self.bias));
            }
            (Weights::Bf16(weights), Operand::Bf16(x)) => {
                weights.forward(x, &rounded::Round::new(&self.bias, rounded::Plain, y));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `y = x W^T + b` as floats; `x`: rows x inputs, `y`: rows x outputs.
    pub fn forward_into(&self, x: Operand, y: &mut [f32]) {
        self.check(x, whole_rows(y, self.outputs), (self.inputs, self.outputs));
        match (&self.weights, x) {
            (Weights::F32(weights), Operand::F32(x)) => {
                weights.forward(x, y, false, &AddBias(&self.bias));
            }
            (Weights::Bf16(weights), Operand::Bf16(x)) => {
                weights.forward(x, &rounded::Write::new(&self.bias, y, self.outputs));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `y += x W^T + b`; `x`: rows x inputs, `y`: rows x outputs.
    pub fn forward_add(&self, x: Operand, y: &mut [f32]) {
        self.check(x, whole_rows(y, self.outputs), (self.inputs, self.outputs));
        match (&self.weights, x) {
            (Weights::F32(weights), Operand::F32(x)) => {
                weights.forward(x, y, true, &AddBias(&self.bias));
            }
            (Weights::Bf16(weights), Operand::Bf16(x)) => {
                weights.forward(x, &rounded::Add::new(&self.bias, y, self.outputs));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `y = activation(x W^T + b)`, and the derivative of the activation there, which backward needs (see
    /// [`Linear::backward_scaled`]); `x`: rows x inputs, `derivative`, `y`: rows x outputs.
    pub fn forward_activated(
        &self,
        activation: Activation,
        x: Operand,
        derivative: Option<&mut Matrix>,
        y: &mut Matrix,
    ) {
        let sizes = (self.inputs, self.outputs);
        self.check(x, (y.rows(), y.width()), sizes);
        if let Some(derivative) = &derivative {
            self.check(x, (derivative.rows(), derivative.width()), sizes);
        }
        match (&self.weights, x) {
            (Weights::F32(weights), Operand::F32(x)) => {
                if let Some(derivative) = derivative {
                    let epilogue = Activate::new(&self.bias, activation, y);
                    weights.forward(x, derivative.floats_mut(), false, &epilogue);
                } else {
                    let bias = &self.bias;
                    weights.forward(
                        x,
                        y.floats_mut(),
                        false,
                        &ActivateInPlace { bias, activation },
                    );
                }
            }
            (Weights::Bf16(weights), Operand::Bf16(x)) => {
                let bias = &self.bias;
                if let Some(derivative) = derivative {
                    weights.forward(x, &rounded::Activate::new(bias, activation, derivative, y));
                } else {
                    let map = rounded::Activated(activation);
                    weights.forward(x, &rounded::Round::new(bias, map, y));
                }
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// The derivative of the activation at `x W^T + b`, with the bits of [`Linear::forward_activated`]; `x`:
    /// rows x inputs, `derivative`: rows x outputs.
    pub fn forward_derivative(&self, activation: Activation, x: Operand, derivative: &mut Matrix) {
        let bias = &self.bias;
        self.check(
            x,
            (derivative.rows(), derivative.width()),
            (self.inputs, self.outputs),
        );
        match (&self.weights, x) {
            (Weights::F32(weights), Operand::F32(x)) => {
                let epilogue = DerivativeInPlace { bias, activation };
                weights.forward(x, derivative.floats_mut(), false, &epilogue);
            }
            (Weights::Bf16(weights), Operand::Bf16(x)) => {
                weights.forward(
                    x,
                    &rounded::Round::new(bias, rounded::Derivative(activation), derivative),
                );
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `dx = dy W`; `dy`: rows x outputs, `dx`: rows x inputs.
    pub fn backward(&self, dy: Operand, dx: &mut Matrix) {
        self.check(dy, (dx.rows(), dx.width()), (self.outputs, self.inputs));
        match (&self.weights, dy) {
            (Weights::F32(weights), Operand::F32(dy)) => {
                weights.backward(dy, dx.floats_mut(), false, &AddBias(&[]));
            }
            (Weights::Bf16(weights), Operand::Bf16(dy)) => {
                weights.backward(dy, &rounded::Round::new(&[], rounded::Plain, dx));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `dx = dy W` as floats; `dy`: rows x outputs, `dx`: rows x inputs.
    pub fn backward_into(&self, dy: Operand, dx: &mut [f32]) {
        self.check(dy, whole_rows(dx, self.inputs), (self.outputs, self.inputs));
        match (&self.weights, dy) {
            (Weights::F32(weights), Operand::F32(dy)) => {
                weights.backward(dy, dx, false, &AddBias(&[]));
            }
            (Weights::Bf16(weights), Operand::Bf16(dy)) => {
                weights.backward(dy, &rounded::Write::new(&[], dx, self.inputs));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `dx = dy W + dy' W'` of two layers with the same input; `dy`: rows x outputs each, `dx`: rows x
    /// inputs.
    pub fn backward_sum(terms: [(&Self, Operand); 2], dx: &mut Matrix) {
        for (layer, dy) in &terms {
            layer.check(*dy, (dx.rows(), dx.width()), (layer.outputs, layer.inputs));
        }
        let [(first, dy_first), (second, dy_second)] = terms;
        match ((&first.weights, dy_first), (&second.weights, dy_second)) {
            (
                (Weights::F32(first), Operand::F32(dy_first)),
                (Weights::F32(second), Operand::F32(dy_second)),
            ) => {
                let dx = dx.floats_mut();
                first.backward(dy_first, dx, false, &AddBias(&[]));
                second.backward(dy_second, dx, true, &AddBias(&[]));
            }
            (
                (Weights::Bf16(first), Operand::Bf16(dy_first)),
                (Weights::Bf16(second), Operand::Bf16(dy_second)),
            ) => {
                let terms = [(first, dy_first), (second, dy_second)];
                PackedBf16::backward_sum(terms, &rounded::Round::new(&[], rounded::Plain, dx));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// `dx = (dy W) * factor`, element by element: the gradient through a linear layer whose input
    /// came out of an activation of that derivative; `dy`: rows x outputs, `factor`, `dx`: rows x inputs.
    pub fn backward_scaled(&self, dy: Operand, factor: &Matrix, dx: &mut Matrix) {
        let sizes = (self.outputs, self.inputs);
        self.check(dy, (dx.rows(), dx.width()), sizes);
        self.check(dy, (factor.rows(), factor.width()), sizes);
        match (&self.weights, dy, factor.operand()) {
            (Weights::F32(weights), Operand::F32(dy), Operand::F32(factor)) => {
                let width = self.inputs;
                weights.backward(dy, dx.floats_mut(), false, &Scale { factor, width });
            }
            (Weights::Bf16(weights), Operand::Bf16(dy), Operand::Bf16(factor)) => {
                weights.backward(dy, &rounded::Scale::new(factor, dx));
            }
            _ => panic!("{FORMATS}"),
        }
    }

    /// Rows of `from` columns go in, rows of `to` columns come out.
    fn check(&self, x: Operand, y: (usize, usize), (from, to): (usize, usize)) {
        assert_eq!(
            (x.rows(from), to),
            y,
            "rows and columns of a linear layer's output"
        );
    }
}

/// Rows and columns of floats.
fn whole_rows(floats: &[f32], width: usize) -> (usize, usize) {
    assert!(
        floats.len().is_multiple_of(width),
        "rows of {width} columns"
    );
    (floats.len() / width, width)
}
