//! Gradients of variables, from outputs back through the graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::shape::check_size;
use crate::{Result, Tensor, TensorError};

/// The gradient of each variable that was reached.
#[derive(Debug, Default)]
pub struct Gradients(BTreeMap<u64, Vec<f32>>);

impl Gradients {
    /// The gradient by a variable, row-major; none where the outputs do not depend on it.
    pub fn get(&self, variable: &Tensor) -> Option<&[f32]> {
        self.0.get(&variable.id()).map(Vec::as_slice)
    }

    /// As [`Gradients::get`], taken out.
    pub fn take(&mut self, variable: &Tensor) -> Option<Vec<f32>> {
        self.0.remove(&variable.id())
    }
}

/// The gradients of an operation's inputs, to which it adds its own part.
pub struct InputGradients<'a> {
    inputs: &'a [Tensor],
    sums: &'a mut BTreeMap<u64, Vec<f32>>,
}

impl InputGradients<'_> {
    /// Whether the input of this number needs a gradient; where not, none has to be computed.
    pub fn wants(&self, input: usize) -> bool {
        self.inputs.get(input).is_some_and(Tensor::requires_grad)
    }

    /// Adds a gradient by the input of this number, row-major. One that is not wanted is ignored.
    ///
    /// # Errors
    /// A number of values that differs from the input's.
    pub fn add(&mut self, input: usize, mut gradient: Vec<f32>) -> Result<()> {
        let Some(tensor) = self.inputs.get(input).filter(|t| t.requires_grad()) else {
            return Ok(());
        };
        check_size("gradient", tensor.shape(), gradient.len())?;
        if let Some(sums) = self.sums.get_mut(&tensor.id()) {
            add_to(sums, &gradient);
        } else {
            // A sum starts at 0, so that it is never -0, whatever the number of its parts.
            for value in &mut gradient {
                *value += 0.0;
            }
            self.sums.insert(tensor.id(), gradient);
        }
        Ok(())
    }

    /// The sum of the gradients by an input so far, to add to; none where none is wanted.
    pub(crate) fn sum(&mut self, input: usize) -> Option<&mut [f32]> {
        let tensor = self.inputs.get(input).filter(|t| t.requires_grad())?;
        let zeros = || vec![0.0; tensor.len()];
        Some(self.sums.entry(tensor.id()).or_insert_with(zeros))
    }
}

/// Adds values one by one.
pub(crate) fn add_to(sums: &mut [f32], values: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum += value;
    }
}

impl Tensor {
    /// The gradient of this single number by all variables that it depends on.
    ///
    /// # Errors
    /// A tensor of another number of values than one, or an operation's own error.
    pub fn backward(&self) -> Result<Gradients> {
        if self.len() != 1 {
            return Err(TensorError::Shape {
                operation: "backward",
                found: self.shape().to_vec(),
                expected: "one value".to_owned(),
            });
        }
        vjp(&[(self, &[1.0])])
    }
}

/// The vector-Jacobian product: gradients of `sum(output * d_output)`, over all outputs, by all
/// variables that they depend on. A `d_output` is row-major and as long as its output.
///
/// # Errors
/// A `d_output` of another length, or an operation's own error.
pub fn vjp(outputs: &[(&Tensor, &[f32])]) -> Result<Gradients> {
    let seeds: Vec<Tensor> = outputs
        .iter()
        .map(|(output, _)| (*output).clone())
        .collect();
    let mut sums = BTreeMap::new();
    for (i, (_, gradient)) in outputs.iter().enumerate() {
        check_size("vjp", seeds[i].shape(), gradient.len())?;
        let mut inputs = InputGradients {
            inputs: &seeds,
            sums: &mut sums,
        };
        inputs.add(i, gradient.to_vec())?;
    }
    for tensor in inputs_first(&seeds).into_iter().rev() {
        // Gradients of intermediate results are dropped as soon as they have been passed on.
        let Some(backward) = tensor.backward_of_inputs() else {
            continue;
        };
        if let Some(gradient) = sums.remove(&tensor.id()) {
            let mut inputs = InputGradients {
                inputs: tensor.inputs(),
                sums: &mut sums,
            };
            backward(&gradient, &mut inputs)?;
        }
    }
    Ok(Gradients(sums))
}

/// All tensors that need a gradient, each behind its inputs: depth first, inputs in their order.
/// The order, and so that of every sum of gradients, depends on the graph alone.
fn inputs_first(outputs: &[Tensor]) -> Vec<&Tensor> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    for output in outputs {
        let mut path: Vec<(&Tensor, usize)> = Vec::new();
        if output.requires_grad() && seen.insert(output.id()) {
            path.push((output, 0));
        }
        while let Some((tensor, next)) = path.last_mut() {
            if let Some(input) = tensor.inputs().get(*next) {
                *next += 1;
                if input.requires_grad() && seen.insert(input.id()) {
                    path.push((input, 0));
                }
            } else {
                order.push(*tensor);
                path.pop();
            }
        }
    }
    order
}
