//! Frozen linear layers.

mod gemm_f32;
#[cfg(target_arch = "x86_64")]
mod micro_f32;
#[cfg(target_arch = "x86_64")]
mod packed_f32;
#[cfg(target_arch = "x86_64")]
mod panels;

use crate::Activation;
use crate::output::Output;
#[cfg(target_arch = "x86_64")]
use crate::processor::Level;
use crate::simd::vectorised;
use gemm_f32::GemmF32;
#[cfg(target_arch = "x86_64")]
use packed_f32::PackedF32;

/// `y = x W^T + b` with frozen `W` (outputs x inputs) and `b`, and its gradient to the input.
///
/// The weights are held in the layout of the kernel that computes with them; nothing outside this
/// module knows which kernel that is.
#[derive(Clone, Debug)]
pub struct Linear {
    inputs: usize,
    outputs: usize,
    bias: Option<Vec<f32>>,
    weights: Weights,
}

/// The kernels; each holds the weights in its own layout.
#[derive(Clone, Debug)]
enum Weights {
    GemmF32(GemmF32),
    #[cfg(target_arch = "x86_64")]
    PackedF32(PackedF32),
}

impl Weights {
    /// Weights (outputs x inputs) for the best kernel of the current level.
    fn new(inputs: usize, outputs: usize, weight: Vec<f32>) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(packed) = PackedF32::new(Level::current(), inputs, outputs, &weight) {
            return Self::PackedF32(packed);
        }
        Self::GemmF32(GemmF32::new(inputs, outputs, weight))
    }

    fn bytes(&self) -> usize {
        match self {
            Self::GemmF32(weights) => weights.bytes(),
            #[cfg(target_arch = "x86_64")]
            Self::PackedF32(weights) => weights.bytes(),
        }
    }

    /// `y = x W^T`, or `y += x W^T`, then `finish` on each part of each row.
    fn forward(&self, x: &[f32], y: &mut [f32], add: bool, finish: &impl Finish) {
        match self {
            Self::GemmF32(weights) => weights.forward(x, y, add, finish),
            #[cfg(target_arch = "x86_64")]
            Self::PackedF32(weights) => weights.forward(x, y, add, finish),
        }
    }

    /// `dx = dy W`, or `dx += dy W`, then `finish` on each part of each row.
    fn backward(&self, dy: &[f32], dx: &mut [f32], add: bool, finish: &impl Finish) {
        match self {
            Self::GemmF32(weights) => weights.backward(dy, dx, add, finish),
            #[cfg(target_arch = "x86_64")]
            Self::PackedF32(weights) => weights.backward(dy, dx, add, finish),
        }
    }
}

/// What becomes of the products of one row, for the outputs `first..first + row.len()`.
trait Finish: Sync {
    /// `row`: the products, to be replaced by the result.
    fn finish(&self, row_index: usize, first: usize, row: &mut [f32]);
}

impl Linear {
    /// `weight`: outputs x inputs; `bias`: outputs.
    ///
    /// # Panics
    /// When the lengths do not fit, or a size is 0.
    pub fn new(inputs: usize, outputs: usize, weight: Vec<f32>, bias: Option<Vec<f32>>) -> Self {
        assert!(inputs > 0 && outputs > 0, "an empty linear layer");
        assert_eq!(weight.len(), inputs * outputs, "weight of a linear layer");
        assert!(
            bias.as_ref().is_none_or(|b| b.len() == outputs),
            "bias of a linear layer"
        );
        let weights = Weights::new(inputs, outputs, weight);
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
        self.weights.bytes()
            + self
                .bias
                .as_ref()
                .map_or(0, |bias| size_of_val(bias.as_slice()))
    }

    /// `y = x W^T + b`; `x`: rows x inputs, `y`: rows x outputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn forward(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        self.weights.forward(x, y, false, &AddBias(self.bias()));
    }

    /// `y += x W^T + b`; `x`: rows x inputs, `y`: rows x outputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn forward_add(&self, x: &[f32], y: &mut [f32]) {
        self.check(x, y);
        self.weights.forward(x, y, true, &AddBias(self.bias()));
    }

    /// `before = x W^T + b` and `y = activation(before)`; `x`: rows x inputs, `before`, `y`: rows x
    /// outputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn forward_activated(
        &self,
        activation: Activation,
        x: &[f32],
        before: &mut [f32],
        y: &mut [f32],
    ) {
        self.check(x, before);
        self.check(x, y);
        let y = Output::new(y, self.outputs);
        let finish = Activate {
            bias: self.bias(),
            activation,
            y,
        };
        self.weights.forward(x, before, false, &finish);
    }

    /// `dx = dy W`; `dy`: rows x outputs, `dx`: rows x inputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn backward(&self, dy: &[f32], dx: &mut [f32]) {
        self.check(dx, dy);
        self.weights.backward(dy, dx, false, &AddBias(&[]));
    }

    /// `dx += dy W`; `dy`: rows x outputs, `dx`: rows x inputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn backward_add(&self, dy: &[f32], dx: &mut [f32]) {
        self.check(dx, dy);
        self.weights.backward(dy, dx, true, &AddBias(&[]));
    }

    /// `dx = (dy W) * activation'(before)`, the gradient through a linear layer whose input was
    /// `activation(before)`; `dy`: rows x outputs, `before`, `dx`: rows x inputs.
    ///
    /// # Panics
    /// When the lengths do not fit.
    pub fn backward_activated(
        &self,
        activation: Activation,
        dy: &[f32],
        before: &[f32],
        dx: &mut [f32],
    ) {
        self.check(dx, dy);
        self.check(before, dy);
        let finish = Deactivate {
            width: self.inputs,
            activation,
            before,
        };
        self.weights.backward(dy, dx, false, &finish);
    }

    fn bias(&self) -> &[f32] {
        self.bias.as_deref().unwrap_or(&[])
    }

    fn check(&self, x: &[f32], y: &[f32]) {
        let rows = x.len() / self.inputs;
        assert_eq!(x.len(), rows * self.inputs, "input rows of a linear layer");
        assert_eq!(
            y.len(),
            rows * self.outputs,
            "output rows of a linear layer"
        );
    }
}

/// Adds the bias, where there is one.
struct AddBias<'a>(&'a [f32]);

impl Finish for AddBias<'_> {
    fn finish(&self, _: usize, first: usize, row: &mut [f32]) {
        add_bias(self.0, first, row);
    }
}

/// Adds the bias, and writes the activation of the sum to a second matrix.
struct Activate<'a> {
    bias: &'a [f32],
    activation: Activation,
    y: Output<'a>,
}

impl Finish for Activate<'_> {
    fn finish(&self, row_index: usize, first: usize, row: &mut [f32]) {
        add_bias(self.bias, first, row);
        // SAFETY: each part of a row is finished once, by one thread.
        let y = unsafe { self.y.part(row_index, first, row.len()) };
        self.activation.forward_slice(row, y);
    }
}

/// Multiplies with the slope of an activation.
struct Deactivate<'a> {
    width: usize,
    activation: Activation,
    before: &'a [f32],
}

impl Finish for Deactivate<'_> {
    fn finish(&self, row_index: usize, first: usize, row: &mut [f32]) {
        let before = &self.before[row_index * self.width + first..][..row.len()];
        self.activation.backward_slice(before, row);
    }
}

vectorised! {
    fn add_bias(bias: &[f32], first: usize, row: &mut [f32]) {
        if !bias.is_empty() {
            for (y, b) in row.iter_mut().zip(&bias[first..]) {
                *y += b;
            }
        }
    }
}
