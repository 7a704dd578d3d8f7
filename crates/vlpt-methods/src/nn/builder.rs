//! Making the parameters of a network in order.

use vlpt_autograd::Tensor;
use vlpt_base::random::Stream;

use crate::{Parameter, Result};

/// What a parameter starts from.
pub(crate) enum Init {
    /// All the same value.
    Constant(f32),
    /// Uniform between plus and minus this bound.
    Uniform(f64),
    /// These values, row-major.
    Values(Vec<f32>),
}

/// Collects the parameters of one method. Each draws from a stream of its own name, so that one
/// more or one less does not change the others.
pub(crate) struct Builder {
    method: &'static str,
    seed: u64,
    parameters: Vec<Parameter>,
}

impl Builder {
    /// No parameter yet; `method` stands before the names of the streams.
    pub(crate) fn new(method: &'static str, seed: u64) -> Self {
        Self {
            method,
            seed,
            parameters: Vec::new(),
        }
    }

    /// The stream of the parameter of this name.
    pub(crate) fn stream(&self, name: &str) -> Stream {
        Stream::new(self.seed, &format!("{}.{name}", self.method))
    }

    /// One more parameter, as the tensor that a layer keeps: it shares the parameter's values.
    ///
    /// # Errors
    /// Values that do not have the shape.
    pub(crate) fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Result<Tensor> {
        let count = shape.iter().product();
        let values = match init {
            Init::Constant(value) => vec![value; count],
            Init::Uniform(bound) => self.stream(name).uniforms(count, bound),
            Init::Values(values) => values,
        };
        let parameter = Parameter::new(name, shape, values)?;
        let tensor = parameter.var().as_tensor().clone();
        self.parameters.push(parameter);
        Ok(tensor)
    }

    /// All parameters, in the order in which they were made.
    pub(crate) fn finish(self) -> Vec<Parameter> {
        self.parameters
    }
}
